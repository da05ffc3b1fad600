/** What the API answers, as far as the console shows it; `openapi.json` has all of it. */

export interface ConsoleInfo {
  readonly name: string;
  readonly version: string;
  /** Null where nobody is asked who they are. */
  readonly actor: string | null;
  readonly scopes: readonly string[];
  readonly flash_sale: boolean;
  readonly kill_worker: boolean;
  readonly dashboard_url: string | null;
  readonly dashboard_port: number;
}

/** Of the list of keys. */
export interface Key {
  readonly id: number;
  readonly name: string;
  readonly role: string | null;
  readonly scopes: readonly string[];
  readonly customer_ref: string | null;
  readonly created_by: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

export interface IssuedKey extends Key {
  readonly token: string;
}

export interface Step {
  readonly at: string;
  readonly seconds: number;
  readonly purchases: Readonly<Record<string, number>>;
  readonly purchases_per_second: number;
  readonly purchase_p99_seconds: number | null;
  readonly completed: number;
  readonly failed: number;
  readonly completion_p99_seconds: number | null;
  readonly stock_outs: number;
  readonly cache_hits: number;
  readonly cache_misses: number;
  readonly server_errors: number;
  readonly open_orders: number | null;
  readonly oldest_open_age_seconds: number | null;
  readonly errors: Readonly<Record<string, number>>;
  readonly pool_usage: number | null;
  readonly workers_alive: number | null;
  readonly queue_available: boolean | null;
  readonly version: string;
}

export interface Statistics {
  readonly from: string;
  readonly to: string;
  readonly step: number;
  readonly items: readonly Step[];
}

export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'not_ready';
  readonly details: Readonly<Record<string, { readonly status: 'up' | 'down'; readonly message?: string }>>;
}

export interface Worker {
  readonly id: string;
  readonly started_at: string;
  readonly seen_at: string;
  readonly version: string;
  readonly concurrency: number;
  readonly in_flight: number;
}

export interface Product {
  readonly id: number;
  readonly name: string;
  readonly price: number;
  readonly stock: number;
  readonly max_per_customer: number | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Movement {
  readonly id: number;
  readonly kind: string;
  readonly quantity: number;
  readonly stock_after: number;
  readonly order_id: number | null;
  readonly reservation_id: number | null;
  readonly reason: string | null;
  readonly created_at: string;
}

export interface Order {
  readonly id: number;
  readonly product_id: number | null;
  readonly quantity: number;
  readonly total_price: number;
  readonly status: OrderStatus;
  readonly customer_ref: string | null;
  readonly items: readonly {
    readonly product_id: number;
    readonly quantity: number;
    readonly unit_price: number;
    readonly line_total: number;
  }[];
  readonly created_at: string;
  readonly updated_at: string;
}

export type OrderStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';

export interface OrderEvent {
  readonly id: number;
  readonly type: string;
  readonly status: OrderStatus;
  readonly cause: string;
  readonly request_id: string | null;
  readonly job_id: string | null;
  readonly created_at: string;
}

export interface Queue {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

export interface DeadLetter {
  readonly order_id: number;
  readonly job_id: string;
  readonly reason: string;
  readonly attempts: number;
  readonly failed_at: string;
}

export interface AuditRun {
  readonly status: 'clean' | 'findings' | 'never_run';
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly products: number;
  readonly orders: number;
  readonly movements: number;
  readonly findings: readonly {
    readonly finding: string;
    readonly meaning: string;
    readonly count: number;
    readonly examples: readonly {
      readonly product_id: number | null;
      readonly order_id: number | null;
      readonly reservation_id: number | null;
      readonly expected: number;
      readonly found: number;
    }[];
  }[];
}

export interface Action {
  readonly id: number;
  readonly type: string;
  readonly actor: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly request_id: string | null;
  readonly created_at: string;
}

export interface FlashSale {
  readonly step: 'gathering' | 'selling' | 'processing' | 'auditing' | 'finished' | 'failed';
  readonly started_at: string;
  readonly product_id: number | null;
  readonly buyers: number;
  readonly units: number;
  readonly sold: number;
  readonly refused: number;
  readonly retries: number;
  readonly unanswered: number;
  readonly completed: number;
  readonly oversold: number | null;
  readonly audit: 'clean' | 'findings' | null;
  readonly sale_seconds: number | null;
  readonly p99_seconds: number | null;
  readonly worker_killed_seconds: number | null;
  readonly as_promised: boolean | null;
  readonly error: string | null;
  readonly samples: readonly { readonly seconds: number; readonly stock: number; readonly completed: number }[];
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
  readonly page: number;
  readonly page_size: number;
  readonly total_pages: number;
}

export interface List<T> {
  readonly items: readonly T[];
  readonly next?: number | null;
}
