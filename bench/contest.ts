/** Contenders measured in one run: each has its turn in every round, so that a slow moment of the machine meets all of them. */
import type { Measured } from './load.ts';
import { median } from './median.ts';

export interface Contender {
  name: string;
  measure: () => Promise<Measured>;
}

export interface Contest {
  name: string;
  contenders: readonly Contender[];
  /** Before the first round. */
  prepare?: () => Promise<unknown>;
  /** After each turn: throws when the database does not agree with itself or with the answers. */
  check?: (measured: Measured, contender: Contender) => Promise<void>;
}

export interface Result {
  contest: string;
  contender: string;
  /** The median over the rounds of each figure by itself. */
  measured: Measured;
}

export async function hold(contest: Contest, rounds: number, say: (line: string) => void): Promise<Result[]> {
  await contest.prepare?.();
  const turns = new Map(contest.contenders.map((contender) => [contender, [] as Measured[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, measured] of turns) {
      const turn = await contender.measure();
      await contest.check?.(turn, contender);
      measured.push(turn);
      say(
        `${contest.name} · ${contender.name} · ${round}/${rounds}: ${Math.round(turn.rate)}/s, p99 ${turn.p99.toFixed(1)} ms`,
      );
    }
  }
  return [...turns].map(([{ name }, all]) => ({ contest: contest.name, contender: name, measured: medianOf(all) }));
}

function medianOf(all: readonly Measured[]): Measured {
  const of = (pick: (measured: Measured) => number) => median(all.map(pick));
  return {
    rate: of(({ rate }) => rate),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    requests: of(({ requests }) => requests),
    refused: of(({ refused }) => refused),
    broken: of(({ broken }) => broken),
  };
}
