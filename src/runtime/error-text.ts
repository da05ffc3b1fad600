const MAX_LENGTH = 500;

/** What was thrown as text that PostgreSQL can store and a person can read, whatever was thrown. */
export function textOf(error: unknown): string {
  return printed(error).replaceAll('\0', '').slice(0, MAX_LENGTH).toWellFormed();
}

function printed(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'something was thrown that has no text';
  }
}
