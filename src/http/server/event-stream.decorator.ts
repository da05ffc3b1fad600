import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiProduces } from '@nestjs/swagger';

/** Documents a list that is a stream of events for whoever asks for one. */
export function ApiEventStream(): MethodDecorator {
  return applyDecorators(
    ApiProduces('application/json', 'text/event-stream'),
    ApiHeader({
      name: 'Last-Event-ID',
      required: false,
      description: 'Of a stream: the `id` of the last event that the client has seen',
      schema: { type: 'string', maxLength: 200 },
    }),
  );
}
