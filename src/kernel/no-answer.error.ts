/**
 * Thrown when neither success nor failure can be told truthfully: the caller's connection is closed without an answer,
 * as if the process had died, and the caller finds out by looking.
 */
export abstract class NoAnswerError extends Error {}
