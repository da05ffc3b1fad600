import { ApplicationError } from '../kernel/application-error.js';
import { ValidationError } from '../kernel/validation-error.js';

/** A place in the log of events: after the event with the id, in the log with the name. */
export interface EventCursor {
  readonly log: string;
  readonly id: number;
}

/** The cursor is of a log that was replaced by a restore: what came after it cannot be known. */
export class CursorExpiredError extends ApplicationError {
  readonly kind = 'gone';
  readonly code = 'CURSOR_EXPIRED';

  constructor() {
    super('The cursor is from before a restore; begin anew without one');
  }
}

const FORM = /^([0-9a-f-]{36})\.(\d{1,16})$/;

/** As clients keep it; what it says is not theirs to read. */
export function cursorText({ log, id }: EventCursor): string {
  return Buffer.from(`${log}.${id}`).toString('base64url');
}

/** @throws ValidationError when the text was never a cursor. */
export function parseCursor(text: string): EventCursor {
  const [, log, id] = FORM.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (log === undefined || !Number.isSafeInteger(Number(id))) {
    throw new ValidationError([{ field: 'after', message: 'after must be a cursor that GET /events has given' }]);
  }
  return { log, id: Number(id) };
}
