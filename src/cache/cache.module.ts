import { CacheModule as NestCacheModule } from '@nestjs/cache-manager';
import { Module } from '@nestjs/common';
import { KeyvAdapter } from 'cache-manager';
import { redisInsStore } from 'cache-manager-redis-yet';
import { Keyv } from 'keyv';
import { CacheConnection } from './cache-connection.js';

@Module({ providers: [CacheConnection], exports: [CacheConnection] })
class CacheConnectionModule {}

/** cache-manager over Redis, for the features that cache what they read. */
@Module({
  imports: [
    CacheConnectionModule,
    NestCacheModule.registerAsync({
      imports: [CacheConnectionModule],
      inject: [CacheConnection],
      useFactory: ({ client }: CacheConnection) => ({ stores: [createStore(client)] }),
    }),
  ],
  exports: [NestCacheModule, CacheConnectionModule],
})
export class CacheModule {}

/** Values are texts that are served as they are stored, so nothing is parsed or printed on the way. */
function createStore(client: CacheConnection['client']): Keyv {
  // The store was typed for version 4 of the client; it uses `get`, `set` with `PX` and `del`, which are the same in 5.
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- see above
  const store = redisInsStore(client as never);
  const verbatim = {
    ...store,
    get: async (key: string) => (await client.get(key)) ?? undefined,
    mget: async (...keys: string[]) => (await client.mGet(keys)).map((text) => text ?? undefined),
  };
  const keyv = new Keyv({
    store: new KeyvAdapter(verbatim),
    useKeyPrefix: false,
    serialize: undefined,
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- Keyv leaves the type to the caller
    deserialize: (text) => ({ value: text as never }),
    throwOnErrors: true,
  });
  // Without a listener an error of the store is thrown a second time; cache-manager hands it to the caller already.
  keyv.on('error', () => undefined);
  return keyv;
}
