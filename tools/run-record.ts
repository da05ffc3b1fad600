import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { endProcess, isAlive, startTimeOf } from './processes.ts';

const END_TIMEOUT_MS = 5_000;

interface RecordedProcess {
  name: string;
  pid: number;
  /** By which another process that got the same id later is told apart. */
  startTime: string;
}

/**
 * What `npm start` has running, kept in a file, so that a start after a `kill -9` finds and ends what that one left.
 */
export class RunRecord {
  private readonly file: string;
  private readonly processes: RecordedProcess[] = [];

  constructor(file: string) {
    this.file = file;
  }

  /**
   * Ends whatever an earlier run left behind, and gives its names.
   *
   * @throws when that run is still going.
   */
  async recover(): Promise<string[]> {
    const left = this.readLeft();
    const supervisor = left.find(({ name }) => name === 'supervisor');
    if (supervisor !== undefined) {
      throw new Error(
        `It is running already (process ${supervisor.pid}). Stop it with Ctrl-C there, or "kill ${supervisor.pid}"`,
      );
    }
    for (const { pid, name } of left)
      await endProcess(pid, name === 'PostgreSQL' ? 'SIGINT' : 'SIGTERM', END_TIMEOUT_MS);
    rmSync(this.file, { force: true });
    return left.map(({ name }) => name);
  }

  add(name: string, pid: number): void {
    this.processes.push({ name, pid, startTime: startTimeOf(pid) });
    // PostgreSQL's user gets through, and nobody looks around.
    mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o711 });
    writeFileSync(this.file, JSON.stringify(this.processes, null, 2), { mode: 0o600 });
  }

  /** Only its own: a start that was refused leaves the record of the run that is going. */
  remove(): void {
    if (this.processes.length > 0) rmSync(this.file, { force: true });
  }

  private readLeft(): RecordedProcess[] {
    if (!existsSync(this.file)) return [];
    const recorded = JSON.parse(readFileSync(this.file, 'utf8')) as RecordedProcess[];
    return recorded.filter(
      ({ pid, startTime }) => pid !== process.pid && isAlive(pid) && startTime !== '' && startTimeOf(pid) === startTime,
    );
  }
}
