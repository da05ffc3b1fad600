import { readFileSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

interface IntegerRange {
  fallback: number;
  min: number;
  max: number;
  /** What else it may be, for the message. */
  or?: string;
}

/**
 * Reads typed values from environment variables and collects every problem, so that an operator sees
 * all of them in one start instead of one a start. An empty variable counts as absent.
 */
export class EnvironmentReader {
  readonly problems: string[] = [];

  constructor(private readonly environment: Environment) {}

  optional(name: string): string | undefined {
    return this.environment[name]?.trim() || undefined;
  }

  /** `NAME`, or what the file holds that `NAME_FILE` names: so that a secret stands in no list of variables. */
  secret(name: string): string | undefined {
    const value = this.optional(name);
    const file = this.optional(`${name}_FILE`);
    if (file === undefined) return value;
    if (value !== undefined) this.problems.push(`${name} and ${name}_FILE must not both be set`);
    try {
      return readFileSync(file, 'utf8').trim() || undefined;
    } catch (error) {
      this.problems.push(`${name}_FILE cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  /** Separated by commas. */
  list(name: string): string[] {
    return (this.optional(name) ?? '').split(',').flatMap((item) => item.trim() || []);
  }

  url(name: string, protocols: readonly string[], fallback?: string): string {
    const value = this.optionalUrl(name, protocols) ?? fallback;
    if (value === undefined) this.problems.push(`${name} is missing: set it to a ${protocols[0]}// URL`);
    return value ?? '';
  }

  optionalUrl(name: string, protocols: readonly string[]): string | undefined {
    const value = this.secret(name);
    if (value === undefined) return undefined;
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      this.problems.push(`${name} must be a ${protocols[0]}// URL`);
    }
    return value;
  }

  integer(name: string, { fallback, min, max, or }: IntegerRange): number {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      this.problems.push(
        `${name} must be a whole number from ${min} to ${max}${or === undefined ? '' : ` or ${or}`}, not "${text}"`,
      );
      return fallback;
    }
    return value;
  }

  oneOf<const T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) this.problems.push(`${name} must be one of ${choices.join(', ')}, not "${text}"`);
    return choice ?? fallback;
  }
}
