import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import { endProcess, isStopped, pidOf } from './processes.ts';

/** A process that is stopped as a whole for so long (`SIGSTOP`) is replaced. */
const FROZEN_MS = 30_000;
const LOOK_MS = 5_000;
const RESTART_MS = 1_000;
/** A role that ends by itself more often than this within a minute is given up. */
const MAX_ENDS = 5;
const ENDS_WITHIN_MS = 60_000;

interface RoleOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Told of each line that the role logs. */
  readonly onLine: (name: string, line: string) => void;
  /** Told when the role asks for another one to be killed, which is then started again: the flash sale of the demo. */
  readonly onKillRequest?: (role: string) => void;
  /** Told of each process, also of one that replaces another. */
  readonly onSpawn: (pid: number) => void;
  /** The role has ended before it was ever up, or too often. */
  readonly onGivenUp: (reason: string) => void;
}

/** A role of the system as a process, which is started again when it ends by itself or is frozen. */
export class SupervisedRole {
  readonly name: string;
  private readonly options: RoleOptions;
  private child: ChildProcess | undefined;
  private isUp = false;
  private isEnding = false;
  private isKilled = false;
  private frozenMs = 0;
  private ends: number[] = [];
  private readonly look: NodeJS.Timeout;

  constructor(options: RoleOptions) {
    this.name = options.name;
    this.options = options;
    this.start();
    this.look = setInterval(() => this.endIfFrozen(), LOOK_MS);
  }

  /** From here on it is started again. */
  markUp(): void {
    this.isUp = true;
  }

  async end(timeoutMs: number): Promise<void> {
    this.isEnding = true;
    clearInterval(this.look);
    if (this.child?.pid !== undefined) await endProcess(this.child.pid, 'SIGTERM', timeoutMs);
  }

  /** As a crash would end it, and it is started again; but it counts for none. */
  kill(): void {
    this.isKilled = true;
    this.child?.kill('SIGKILL');
  }

  /** In a process group of its own, so that a Ctrl-C reaches it in order, through `end`. */
  private start(): void {
    if (this.isEnding) return;
    const { name, args, cwd, env, onLine, onKillRequest } = this.options;
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ...(onKillRequest === undefined ? [] : ['ipc' as const])];
    const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio });
    this.child = child;
    child.on('error', () => undefined); // told by the missing process id
    this.options.onSpawn(pidOf(child));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => onLine(name, line));
    }
    child.on('message', (message) => {
      if (typeof message === 'object' && 'kill' in message) onKillRequest?.(String(message.kill));
    });
    child.once('exit', (code, signal) => this.onEnd(signal ?? `exit status ${code}`));
  }

  private onEnd(how: string): void {
    if (this.isEnding) return;
    const now = Date.now();
    this.ends = [...this.ends.filter((end) => now - end < ENDS_WITHIN_MS), ...(this.isKilled ? [] : [now])];
    const ended = `The ${this.options.name} ${this.isKilled ? 'was killed' : 'ended by itself'} (${how})`;
    this.isKilled = false;
    if (!this.isUp) this.options.onGivenUp(ended);
    else if (this.ends.length > MAX_ENDS) this.options.onGivenUp(`${ended}, ${this.ends.length} times within a minute`);
    else {
      console.error(`✗ ${ended}; it is started again`);
      setTimeout(() => this.start(), RESTART_MS);
    }
  }

  private endIfFrozen(): void {
    const pid = this.child?.pid;
    this.frozenMs = pid !== undefined && isStopped(pid) ? this.frozenMs + LOOK_MS : 0;
    if (pid === undefined || this.frozenMs < FROZEN_MS) return;
    this.frozenMs = 0;
    console.error(`✗ The ${this.options.name} has been stopped for ${FROZEN_MS / 1_000} s and is replaced`);
    process.kill(pid, 'SIGKILL');
  }
}
