-- The database of version 1.0.0 (commit a9e2546), with orders and reservations in every state that its clients and workers had left.
-- Made by its own migrations and its own API. Only the time of the reservations that are held was moved, to the year 2100.

CREATE TABLE "migrations" ("id" SERIAL NOT NULL, "timestamp" bigint NOT NULL, "name" character varying NOT NULL, CONSTRAINT "PK_8c82d7f526340ab734260ea46be" PRIMARY KEY ("id"));

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;

CREATE TABLE products (
  id         bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT products_pkey PRIMARY KEY,
  name       varchar(255)   NOT NULL,
  price      numeric(12, 2) NOT NULL CONSTRAINT products_price_check CHECK (price > 0),
  stock      integer        NOT NULL CONSTRAINT products_stock_check CHECK (stock >= 0),
  deleted_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TRIGGER products_set_updated_at BEFORE UPDATE ON products
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE orders (
  id          bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT orders_pkey PRIMARY KEY,
  total_price numeric(16, 2) NOT NULL CONSTRAINT orders_total_price_check CHECK (total_price > 0),
  status      text           NOT NULL DEFAULT 'pending'
    CONSTRAINT orders_status_check CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  updated_at  timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TRIGGER orders_set_updated_at BEFORE UPDATE ON orders
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE order_items (
  order_id   bigint         NOT NULL CONSTRAINT order_items_order_id_fkey REFERENCES orders (id),
  product_id bigint         NOT NULL CONSTRAINT order_items_product_id_fkey REFERENCES products (id),
  quantity   integer        NOT NULL CONSTRAINT order_items_quantity_check CHECK (quantity > 0),
  unit_price numeric(12, 2) NOT NULL CONSTRAINT order_items_unit_price_check CHECK (unit_price > 0),
  CONSTRAINT order_items_pkey PRIMARY KEY (order_id, product_id)
);

CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE INDEX products_name_idx ON products USING gin (name gin_trgm_ops) WHERE deleted_at IS NULL;

CREATE INDEX products_live_idx ON products (id) WHERE deleted_at IS NULL;

CREATE INDEX orders_status_id_idx ON orders (status, id);

CREATE INDEX orders_open_idx ON orders (id) WHERE status IN ('pending', 'processing');

CREATE TABLE row_counts (
  list  text     NOT NULL,
  level smallint NOT NULL CONSTRAINT row_counts_level_check CHECK (level IN (0, 1)),
  block bigint   NOT NULL,
  rows  bigint   NOT NULL,
  CONSTRAINT row_counts_pkey PRIMARY KEY (list, level, block)
);

CREATE TABLE row_count_changes (list text NOT NULL, block bigint NOT NULL, change bigint NOT NULL)
WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE FUNCTION count_orders() RETURNS trigger LANGUAGE plpgsql AS $$ 
    BEGIN
      IF TG_OP <> 'DELETE' THEN
        INSERT INTO row_count_changes SELECT 'orders:' || status, id >> 10, count(*) FROM added GROUP BY 1, 2;
      END IF;
      IF TG_OP <> 'INSERT' THEN
        INSERT INTO row_count_changes SELECT 'orders:' || status, id >> 10, -count(*) FROM removed GROUP BY 1, 2;
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION count_products() RETURNS trigger LANGUAGE plpgsql AS $$ 
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO row_count_changes
        SELECT 'products', id >> 10, count(*) FROM added WHERE deleted_at IS NULL GROUP BY 2;
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO row_count_changes
        SELECT 'products', id >> 10, -count(*) FROM removed WHERE deleted_at IS NULL GROUP BY 2;
      ELSE
        INSERT INTO row_count_changes
        VALUES ('products', NEW.id >> 10, CASE WHEN NEW.deleted_at IS NULL THEN 1 ELSE -1 END);
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION forget_row_counts() RETURNS trigger LANGUAGE plpgsql AS $$ 
    BEGIN
      DELETE FROM row_counts WHERE list ^@ TG_TABLE_NAME::text;
      DELETE FROM row_count_changes WHERE list ^@ TG_TABLE_NAME::text;
      RETURN NULL;
    END $$;

CREATE TRIGGER orders_count_insert AFTER INSERT ON orders
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_orders();

CREATE TRIGGER orders_count_update AFTER UPDATE ON orders
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_orders();

CREATE TRIGGER orders_count_delete AFTER DELETE ON orders
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_orders();

CREATE TRIGGER orders_forget_counts AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION forget_row_counts();

CREATE TRIGGER products_count_insert AFTER INSERT ON products
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_products();

CREATE TRIGGER products_count_update AFTER UPDATE OF deleted_at ON products FOR EACH ROW
    WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION count_products();

CREATE TRIGGER products_count_delete AFTER DELETE ON products
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_products();

CREATE TRIGGER products_forget_counts AFTER TRUNCATE ON products FOR EACH STATEMENT EXECUTE FUNCTION forget_row_counts();

CREATE TABLE stock_movements (
  id          bigint         GENERATED ALWAYS AS IDENTITY,
  product_id  bigint         NOT NULL,
  kind        text           NOT NULL
    CONSTRAINT stock_movements_kind_check CHECK (kind IN ('initial', 'adjustment', 'sale', 'release')),
  quantity    bigint         NOT NULL CONSTRAINT stock_movements_quantity_check CHECK (quantity <> 0),
  stock_after bigint         NOT NULL CONSTRAINT stock_movements_stock_after_check CHECK (stock_after >= 0),
  order_id    bigint,
  reason      text,
  created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT stock_movements_pkey PRIMARY KEY (product_id, id),
  CONSTRAINT stock_movements_order_id_check CHECK ((kind IN ('sale', 'release')) = (order_id IS NOT NULL)),
  CONSTRAINT stock_movements_direction_check
    CHECK (CASE kind WHEN 'adjustment' THEN true WHEN 'sale' THEN quantity < 0 ELSE quantity > 0 END)
);

CREATE FUNCTION record_initial_stock() RETURNS trigger LANGUAGE plpgsql AS $$ 
    BEGIN
      INSERT INTO stock_movements (product_id, kind, quantity, stock_after)
      SELECT id, 'initial', stock, stock FROM added WHERE stock > 0;
      RETURN NULL;
    END $$;

CREATE FUNCTION record_stock() RETURNS trigger LANGUAGE plpgsql AS $$ 
    DECLARE
      recorded bigint := coalesce(
        (SELECT stock_after FROM stock_movements WHERE product_id = NEW.id ORDER BY id DESC LIMIT 1), 0);
    BEGIN
      IF recorded <> NEW.stock THEN
        INSERT INTO stock_movements (product_id, kind, quantity, stock_after, reason)
        VALUES (NEW.id, 'adjustment', NEW.stock - recorded, NEW.stock, 'changed in SQL by ' || session_user);
      END IF;
      RETURN NULL;
    END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ 
    BEGIN
      RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END $$;

CREATE TRIGGER products_record_initial_stock AFTER INSERT ON products
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION record_initial_stock();

CREATE TRIGGER products_record_stock AFTER UPDATE OF stock ON products FOR EACH ROW
    WHEN (OLD.stock <> NEW.stock) EXECUTE FUNCTION record_stock();

CREATE TRIGGER stock_movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE order_events (
  order_id   bigint         NOT NULL,
  id         bigint         GENERATED ALWAYS AS IDENTITY,
  status     text           NOT NULL
    CONSTRAINT order_events_status_check CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  cause      text           NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT order_events_pkey PRIMARY KEY (order_id, id)
);

CREATE TRIGGER order_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE orders DROP CONSTRAINT orders_status_check;

ALTER TABLE orders ADD CONSTRAINT orders_status_check CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')) NOT VALID;

CREATE FUNCTION refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'order %: no way leads from % to %', OLD.id, OLD.status, NEW.status
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER orders_status_transition BEFORE UPDATE OF status ON orders FOR EACH ROW
WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (('pending', 'processing'), ('pending', 'cancelled'), ('processing', 'completed'), ('processing', 'failed'), ('processing', 'cancelled')))
EXECUTE FUNCTION refuse_transition();

CREATE TABLE idempotency_keys (
  key         text           COLLATE "C" CONSTRAINT idempotency_keys_pkey PRIMARY KEY,
  fingerprint text           NOT NULL,
  order_id    bigint,
  body        text,
  error       jsonb,
  created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT idempotency_keys_outcome_check CHECK (num_nonnulls(order_id, body, error) = 1)
);

CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);

CREATE TABLE audit_runs (
  id          bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_runs_pkey PRIMARY KEY,
  started_at  timestamptz(3) NOT NULL,
  finished_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  products    bigint         NOT NULL,
  orders      bigint         NOT NULL,
  movements   bigint         NOT NULL,
  findings    jsonb          NOT NULL
);

CREATE TABLE reservations (
  id         bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT reservations_pkey PRIMARY KEY,
  status     text           NOT NULL DEFAULT 'held'
    CONSTRAINT reservations_status_check CHECK (status IN ('held', 'confirmed', 'released', 'expired')),
  expires_at timestamptz(3) NOT NULL,
  order_id   bigint         CONSTRAINT reservations_order_id_key UNIQUE
    CONSTRAINT reservations_order_id_fkey REFERENCES orders (id),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT reservations_confirmed_check CHECK ((status = 'confirmed') = (order_id IS NOT NULL))
);

CREATE INDEX reservations_held_idx ON reservations (expires_at) WHERE status = 'held';

CREATE TRIGGER reservations_set_updated_at BEFORE UPDATE ON reservations
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE reservation_items (
  reservation_id bigint  NOT NULL
    CONSTRAINT reservation_items_reservation_id_fkey REFERENCES reservations (id),
  product_id     bigint  NOT NULL CONSTRAINT reservation_items_product_id_fkey REFERENCES products (id),
  quantity       integer NOT NULL CONSTRAINT reservation_items_quantity_check CHECK (quantity > 0),
  CONSTRAINT reservation_items_pkey PRIMARY KEY (reservation_id, product_id)
);

ALTER TABLE stock_movements ADD COLUMN reservation_id bigint,
DROP CONSTRAINT stock_movements_kind_check, DROP CONSTRAINT stock_movements_order_id_check,
DROP CONSTRAINT stock_movements_direction_check;

ALTER TABLE stock_movements ADD CONSTRAINT stock_movements_kind_check CHECK (kind IN ('initial', 'adjustment', 'sale', 'hold', 'release')) NOT VALID;

ALTER TABLE stock_movements ADD CONSTRAINT stock_movements_order_id_check CHECK (CASE kind WHEN 'sale' THEN order_id IS NOT NULL AND reservation_id IS NULL
                         WHEN 'hold' THEN order_id IS NULL AND reservation_id IS NOT NULL
                         WHEN 'release' THEN num_nonnulls(order_id, reservation_id) = 1
                         ELSE num_nonnulls(order_id, reservation_id) = 0 END) NOT VALID;

ALTER TABLE stock_movements ADD CONSTRAINT stock_movements_direction_check CHECK (CASE WHEN kind = 'adjustment' THEN true WHEN kind IN ('sale', 'hold') THEN quantity < 0 ELSE quantity > 0 END) NOT VALID;

ALTER TABLE orders VALIDATE CONSTRAINT orders_status_check;

ALTER TABLE stock_movements VALIDATE CONSTRAINT stock_movements_kind_check;

ALTER TABLE stock_movements VALIDATE CONSTRAINT stock_movements_order_id_check;

ALTER TABLE stock_movements VALIDATE CONSTRAINT stock_movements_direction_check;

CREATE OR REPLACE FUNCTION name_grams(name text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
DECLARE
  letters text[] := string_to_array(lower(name), NULL);
  grams text[] := letters;
BEGIN
  FOR i IN 2 .. cardinality(letters) LOOP
    grams := grams || (letters[i - 1] || letters[i]);
  END LOOP;
  RETURN grams;
END $$;

CREATE INDEX products_name_grams_idx ON products USING gin (name_grams(name)) WHERE deleted_at IS NULL;

CREATE OR REPLACE TRIGGER products_record_stock AFTER UPDATE OF stock ON products FOR EACH ROW
WHEN (OLD.stock <> NEW.stock AND current_setting('order_system.writes_ledger', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION record_stock();

CREATE EXTENSION IF NOT EXISTS btree_gin;

CREATE INDEX products_block_name_idx ON products USING gin ((id >> 15), name gin_trgm_ops) WITH (gin_pending_list_limit = 64) WHERE deleted_at IS NULL;

CREATE INDEX products_block_name_grams_idx ON products USING gin ((id / 32768), name_grams(name)) WITH (gin_pending_list_limit = 64) WHERE deleted_at IS NULL;

SET session_replication_role = replica;

INSERT INTO audit_runs (id, started_at, finished_at, products, orders, movements, findings) OVERRIDING SYSTEM VALUE VALUES
  ('1', '2026-11-29 01:04:09.771+00', '2026-11-29 01:04:09.802+00', '4', '9', '23', '[]');

INSERT INTO idempotency_keys (key, fingerprint, order_id, body, error, created_at) VALUES
  ('adjusted in 1.0.0', '4MTlzOSgkZHpWMpROp1-Yh4skGJEb8RcXehJwCgBifM', NULL, '{"id":10,"kind":"adjustment","quantity":7,"reason":"delivery","product_id":2,"stock_after":57,"order_id":null,"reservation_id":null,"created_at":"2026-11-29T01:04:01.552Z"}', NULL, '2026-11-29 01:04:01.553+00'),
  ('bought in 1.0.0', '_BK_qojwu3NigjYi2IR6RfXcIqMb6xz5mBPYmOVlxVs', '4', NULL, NULL, '2026-11-29 01:04:01.534+00'),
  ('made in 1.0.0', 'XRCW6Xs45ynv7BCEdZUwDmL804jXMaNo4y3szXo6Ddo', NULL, '{"id":2,"name":"Straße Фонарь ﬁn","price":5,"stock":50,"created_at":"2026-11-29T01:04:01.370Z","updated_at":"2026-11-29T01:04:01.370Z"}', NULL, '2026-11-29 01:04:01.389+00'),
  ('refused in 1.0.0', 'IvXRTAaPPKrL8YHszZFD-FKZjROOQlo2eM0_65o2kbk', NULL, NULL, '{"code": "INSUFFICIENT_STOCK", "kind": "rejected", "members": {}, "message": "Insufficient stock. Available: 95, Requested: 5000"}', '2026-11-29 01:04:01.546+00');

INSERT INTO migrations (id, "timestamp", name) VALUES
  ('1', '1767225600000', 'CreateProducts1767225600000'),
  ('2', '1767225600001', 'CreateOrders1767225600001'),
  ('3', '1767225600002', 'IndexLists1767225600002'),
  ('4', '1767225600003', 'CountRows1767225600003'),
  ('5', '1767225600004', 'CountExistingRows1767225600004'),
  ('6', '1767225600005', 'RecordStockMovements1767225600005'),
  ('7', '1767225600006', 'RecordOrderEvents1767225600006'),
  ('8', '1767225600007', 'CreateIdempotencyKeys1767225600007'),
  ('9', '1767225600008', 'CreateAuditRuns1767225600008'),
  ('10', '1767225600009', 'CreateReservations1767225600009'),
  ('11', '1767225600010', 'ValidateConstraints1767225600010'),
  ('12', '1767225600011', 'IndexNameGrams1767225600011'),
  ('13', '1767225600012', 'CompareForeignStockChanges1767225600012'),
  ('14', '1767225600013', 'IndexNamesByBlock1767225600013');

INSERT INTO order_events (order_id, id, status, cause, created_at) OVERRIDING SYSTEM VALUE VALUES
  ('1', '1', 'pending', 'bought', '2026-11-29 01:04:01.492+00'),
  ('1', '3', 'processing', 'attempt 1', '2026-11-29 01:04:01.51+00'),
  ('1', '11', 'completed', 'fulfilled', '2026-11-29 01:04:01.713+00'),
  ('2', '2', 'pending', 'bought', '2026-11-29 01:04:01.508+00'),
  ('2', '4', 'processing', 'attempt 1', '2026-11-29 01:04:01.517+00'),
  ('2', '12', 'completed', 'fulfilled', '2026-11-29 01:04:01.719+00'),
  ('3', '5', 'pending', 'bought', '2026-11-29 01:04:01.521+00'),
  ('3', '7', 'processing', 'attempt 1', '2026-11-29 01:04:01.536+00'),
  ('3', '13', 'completed', 'fulfilled', '2026-11-29 01:04:01.738+00'),
  ('4', '6', 'pending', 'bought', '2026-11-29 01:04:01.534+00'),
  ('4', '8', 'processing', 'attempt 1', '2026-11-29 01:04:01.541+00'),
  ('4', '14', 'completed', 'fulfilled', '2026-11-29 01:04:01.742+00'),
  ('5', '9', 'pending', 'reservation 1 confirmed', '2026-11-29 01:04:01.566+00'),
  ('5', '10', 'processing', 'attempt 1', '2026-11-29 01:04:01.571+00'),
  ('5', '15', 'completed', 'fulfilled', '2026-11-29 01:04:01.774+00'),
  ('6', '16', 'pending', 'bought', '2026-11-29 01:04:06.869+00'),
  ('6', '17', 'processing', 'attempt 1', '2026-11-29 01:04:06.883+00'),
  ('7', '18', 'pending', 'bought', '2026-11-29 01:04:08.401+00'),
  ('7', '19', 'cancelled', 'cancelled: changed my mind', '2026-11-29 01:04:08.423+00'),
  ('8', '20', 'pending', 'bought', '2026-11-29 01:04:08.435+00'),
  ('9', '21', 'pending', 'bought', '2026-11-29 01:04:08.44+00');

INSERT INTO order_items (order_id, product_id, quantity, unit_price) VALUES
  ('1', '1', '1', '89.90'),
  ('2', '1', '1', '89.90'),
  ('3', '1', '1', '89.90'),
  ('4', '1', '2', '89.90'),
  ('4', '4', '1', '4.00'),
  ('5', '2', '2', '5.00'),
  ('6', '1', '1', '89.90'),
  ('7', '4', '2', '4.00'),
  ('8', '2', '1', '5.00'),
  ('9', '2', '1', '5.00');

INSERT INTO orders (id, total_price, status, created_at, updated_at) OVERRIDING SYSTEM VALUE VALUES
  ('1', '89.90', 'completed', '2026-11-29 01:04:01.47+00', '2026-11-29 01:04:01.713+00'),
  ('2', '89.90', 'completed', '2026-11-29 01:04:01.502+00', '2026-11-29 01:04:01.719+00'),
  ('3', '89.90', 'completed', '2026-11-29 01:04:01.52+00', '2026-11-29 01:04:01.738+00'),
  ('4', '183.80', 'completed', '2026-11-29 01:04:01.531+00', '2026-11-29 01:04:01.742+00'),
  ('5', '10.00', 'completed', '2026-11-29 01:04:01.563+00', '2026-11-29 01:04:01.773+00'),
  ('6', '89.90', 'processing', '2026-11-29 01:04:06.867+00', '2026-11-29 01:04:06.883+00'),
  ('7', '8.00', 'cancelled', '2026-11-29 01:04:08.399+00', '2026-11-29 01:04:08.423+00'),
  ('8', '5.00', 'pending', '2026-11-29 01:04:08.434+00', '2026-11-29 01:04:08.434+00'),
  ('9', '5.00', 'pending', '2026-11-29 01:04:08.44+00', '2026-11-29 01:04:08.44+00');

INSERT INTO products (id, name, price, stock, deleted_at, created_at, updated_at) OVERRIDING SYSTEM VALUE VALUES
  ('1', 'Mechanical keyboard', '89.90', '94', NULL, '2026-11-29 01:04:01.342+00', '2026-11-29 01:04:06.869+00'),
  ('2', 'Straße Фонарь ﬁn', '5.00', '49', NULL, '2026-11-29 01:04:01.37+00', '2026-11-29 01:04:08.446+00'),
  ('3', 'Gone', '1.00', '5', '2026-11-29 01:04:01.44+00', '2026-11-29 01:04:01.412+00', '2026-11-29 01:04:01.448+00'),
  ('4', 'Café', '4.00', '17', NULL, '2026-11-29 01:04:01.435+00', '2026-11-29 01:04:08.451+00');

INSERT INTO reservation_items (reservation_id, product_id, quantity) VALUES
  ('1', '2', '2'),
  ('2', '2', '1'),
  ('3', '2', '3'),
  ('4', '2', '4'),
  ('4', '4', '1'),
  ('5', '4', '1');

INSERT INTO reservations (id, status, expires_at, order_id, created_at, updated_at) OVERRIDING SYSTEM VALUE VALUES
  ('1', 'confirmed', '2026-11-29 02:04:01.559+00', '5', '2026-11-29 01:04:01.557+00', '2026-11-29 01:04:01.566+00'),
  ('2', 'released', '2026-11-29 01:19:01.574+00', NULL, '2026-11-29 01:04:01.571+00', '2026-11-29 01:04:01.578+00'),
  ('3', 'expired', '2026-11-29 01:04:02.587+00', NULL, '2026-11-29 01:04:01.586+00', '2026-11-29 01:04:03.265+00'),
  ('4', 'held', '2100-01-01 00:00:00+00', NULL, '2026-11-29 01:04:08.445+00', '2026-11-29 01:04:09.86+00'),
  ('5', 'held', '2100-01-01 00:00:00+00', NULL, '2026-11-29 01:04:08.45+00', '2026-11-29 01:04:09.86+00');

INSERT INTO row_counts (list, level, block, rows) VALUES
  ('orders:cancelled', '0', '0', '1'),
  ('orders:cancelled', '1', '0', '1'),
  ('orders:completed', '0', '0', '5'),
  ('orders:completed', '1', '0', '5'),
  ('orders:pending', '0', '0', '2'),
  ('orders:pending', '1', '0', '2'),
  ('orders:processing', '0', '0', '1'),
  ('orders:processing', '1', '0', '1'),
  ('products', '0', '0', '3'),
  ('products', '1', '0', '3');

INSERT INTO stock_movements (id, product_id, kind, quantity, stock_after, order_id, reason, created_at, reservation_id) OVERRIDING SYSTEM VALUE VALUES
  ('1', '1', 'initial', '100', '100', NULL, NULL, '2026-11-29 01:04:01.35+00', NULL),
  ('2', '2', 'initial', '50', '50', NULL, NULL, '2026-11-29 01:04:01.375+00', NULL),
  ('3', '3', 'initial', '5', '5', NULL, NULL, '2026-11-29 01:04:01.425+00', NULL),
  ('4', '4', 'initial', '20', '20', NULL, NULL, '2026-11-29 01:04:01.436+00', NULL),
  ('5', '1', 'sale', '-1', '99', '1', NULL, '2026-11-29 01:04:01.492+00', NULL),
  ('6', '1', 'sale', '-1', '98', '2', NULL, '2026-11-29 01:04:01.508+00', NULL),
  ('7', '1', 'sale', '-1', '97', '3', NULL, '2026-11-29 01:04:01.521+00', NULL),
  ('8', '1', 'sale', '-2', '95', '4', NULL, '2026-11-29 01:04:01.534+00', NULL),
  ('9', '4', 'sale', '-1', '19', '4', NULL, '2026-11-29 01:04:01.534+00', NULL),
  ('10', '2', 'adjustment', '7', '57', NULL, 'delivery', '2026-11-29 01:04:01.552+00', NULL),
  ('11', '2', 'hold', '-2', '55', NULL, NULL, '2026-11-29 01:04:01.559+00', '1'),
  ('12', '2', 'hold', '-1', '54', NULL, NULL, '2026-11-29 01:04:01.574+00', '2'),
  ('13', '2', 'release', '1', '55', NULL, 'the reservation was released', '2026-11-29 01:04:01.579+00', '2'),
  ('14', '2', 'hold', '-3', '52', NULL, NULL, '2026-11-29 01:04:01.587+00', '3'),
  ('15', '2', 'release', '3', '55', NULL, 'the reservation expired', '2026-11-29 01:04:03.271+00', '3'),
  ('16', '1', 'sale', '-1', '94', '6', NULL, '2026-11-29 01:04:06.869+00', NULL),
  ('17', '4', 'sale', '-2', '17', '7', NULL, '2026-11-29 01:04:08.401+00', NULL),
  ('18', '4', 'release', '2', '19', '7', 'cancelled: changed my mind', '2026-11-29 01:04:08.425+00', NULL),
  ('19', '2', 'sale', '-1', '54', '8', NULL, '2026-11-29 01:04:08.435+00', NULL),
  ('20', '2', 'sale', '-1', '53', '9', NULL, '2026-11-29 01:04:08.44+00', NULL),
  ('21', '2', 'hold', '-4', '49', NULL, NULL, '2026-11-29 01:04:08.445+00', '4'),
  ('22', '4', 'hold', '-1', '18', NULL, NULL, '2026-11-29 01:04:08.446+00', '4'),
  ('23', '4', 'hold', '-1', '17', NULL, NULL, '2026-11-29 01:04:08.451+00', '5');

SELECT setval('migrations_id_seq', 14);
SELECT setval('products_id_seq', 4);
SELECT setval('orders_id_seq', 9);
SELECT setval('stock_movements_id_seq', 23);
SELECT setval('order_events_id_seq', 21);
SELECT setval('audit_runs_id_seq', 1);
SELECT setval('reservations_id_seq', 5);

RESET session_replication_role;
