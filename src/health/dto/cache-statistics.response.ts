import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { CacheStatistics } from '../cache-statistics.service.js';

@ApiSchema({ name: 'CacheStatistics' })
export class CacheStatisticsResponse {
  @ApiProperty({ type: 'integer', description: "Connections to the cache's Redis", example: 3 })
  connected_clients: number;

  @ApiProperty({ type: 'integer', description: 'Bytes', example: 1_048_576 })
  used_memory: number;

  @ApiProperty({ example: '1.00M' })
  used_memory_human: string;

  @ApiProperty({ type: 'integer', description: "Keys in the cache's database", example: 12 })
  total_keys: number;

  @ApiProperty({ type: 'integer', description: 'How long Redis has been up', example: 3_600 })
  uptime_seconds: number;

  @ApiProperty({
    type: 'integer',
    description: 'Cached reads of this process that Redis answered, since it started',
    example: 90,
  })
  hits: number;

  @ApiProperty({ type: 'integer', description: 'Cached reads of this process that went to the database', example: 10 })
  misses: number;

  @ApiProperty({ description: 'hits / (hits + misses), 0 before the first read', example: 0.9 })
  hit_rate: number;

  static of(statistics: CacheStatistics): CacheStatisticsResponse {
    const { connectedClients, usedMemory, usedMemoryHuman, totalKeys, uptimeSeconds, hitRate, ...same } = statistics;
    return {
      ...same,
      connected_clients: connectedClients,
      used_memory: usedMemory,
      used_memory_human: usedMemoryHuman,
      total_keys: totalKeys,
      uptime_seconds: uptimeSeconds,
      hit_rate: hitRate,
    };
  }
}
