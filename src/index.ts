/** What a plug-in, or a program that embeds the system, may import. Everything else may change without notice. */
export { type Config, ConfigError, loadConfig } from './config/config.js';
export type { Subscriber } from './events/subscriber.js';
export { type Cents, formatCents, parseCents } from './kernel/money.js';
export { Access } from './http/access/access.decorator.js';
export type { RouteAccess } from './http/access/route-access.js';
export { ORDER_EVENT_TYPES, type OrderEvent, type OrderEventType } from './orders/history/order-event.js';
export { OrdersModule } from './orders/orders.module.js';
export { OrderCancellationService } from './orders/cancellation/order-cancellation.service.js';
export { OrderReaderService } from './orders/order-reader.service.js';
export {
  FulfilmentGateway,
  type FulfilmentItem,
  type FulfilmentOptions,
  type FulfilmentOrder,
  type FulfilmentResult,
  PermanentFulfilmentError,
} from './orders/processing/fulfilment-gateway.js';
export { PurchaseService } from './orders/purchase/purchase.service.js';
export { ProductReaderService } from './products/product-reader.service.js';
export { ProductsModule } from './products/products.module.js';
export { ProductService } from './products/product.service.js';
export { ReservationsModule } from './reservations/reservations.module.js';
export { ReservationService } from './reservations/reservation.service.js';
export { type ApiOptions, createApi } from './roles/api/create-api.js';
export type { ModuleImport, Plugin } from './roles/plugins.js';
export { createWorker } from './roles/worker/create-worker.js';
export type { WorkerOptions } from './roles/worker/worker.module.js';
export { StockModule } from './stock/stock.module.js';
export { StockService } from './stock/stock.service.js';
