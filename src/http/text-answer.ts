import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Header,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';

/** Of an answer that is JSON text already. */
export const JSON_TEXT = 'application/json; charset=utf-8';

/** An answer as JSON text, with what its headers say of it. */
export interface TextAnswer {
  readonly text: string;
  readonly etag?: string;
  /** An earlier request has had it before. */
  readonly isReplayed?: boolean;
}

class TextAnswerInterceptor implements NestInterceptor<TextAnswer, string> {
  intercept(context: ExecutionContext, next: CallHandler<TextAnswer>): Observable<string> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(map((answer) => sendText(reply, answer)));
  }
}

/** Gives the text to send, and sets the headers that tell of it. */
export function sendText(reply: FastifyReply, { text, etag, isReplayed }: TextAnswer): string {
  if (etag !== undefined) reply.header('ETag', etag);
  if (isReplayed === true) reply.header('Idempotent-Replayed', 'true');
  return text;
}

/** Where what was created is found: below `path`, by the id that its text begins with. */
export function locationOf(path: string, { text }: TextAnswer): string {
  return `${path}/${/^\{"id":(\d+)/.exec(text)?.[1]}`;
}

/** For a handler that returns a {@link TextAnswer}. */
export function AnswersText(): MethodDecorator {
  return applyDecorators(Header('Content-Type', JSON_TEXT), UseInterceptors(TextAnswerInterceptor));
}
