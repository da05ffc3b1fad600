import { request } from 'node:http';
import { noteCredentials } from './secrets.js';

export interface StreamedEvent {
  readonly id: string;
  readonly event: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test asserts on the event, whatever its shape
  readonly data: any;
}

/** A stream of events as a client without any library reads it. */
export interface OpenStream {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly events: StreamedEvent[];
  /** Everything that came, comments as well. */
  readonly text: () => string;
  readonly ended: Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly close: () => void;
}

export async function openStream(url: string, headers: Record<string, string> = {}): Promise<OpenStream> {
  noteCredentials(headers);
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers: { Accept: 'text/event-stream', ...headers }, agent: false }, (response) => {
      let text = '';
      let rest = '';
      const events: StreamedEvent[] = [];
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        rest += chunk;
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const fields = new Map(
            block.split('\n').map((line) => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]),
          );
          const [id, event, data] = ['id', 'event', 'data'].map((name) => fields.get(name));
          if (id !== undefined && event !== undefined && data !== undefined)
            events.push({ id, event, data: JSON.parse(data) });
        }
      });
      const ended = new Promise<void>((done) => response.once('close', () => done()));
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        events,
        text: () => text,
        ended,
        pause: () => void response.pause(),
        resume: () => void response.resume(),
        close: () => void asking.destroy(),
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}
