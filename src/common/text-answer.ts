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
    return next.handle().pipe(
      map(({ text, etag, isReplayed }) => {
        if (etag !== undefined) reply.header('ETag', etag);
        if (isReplayed === true) reply.header('Idempotent-Replayed', 'true');
        return text;
      }),
    );
  }
}

/** For a handler that returns a {@link TextAnswer}. */
export function AnswersText(): MethodDecorator {
  return applyDecorators(Header('Content-Type', JSON_TEXT), UseInterceptors(TextAnswerInterceptor));
}
