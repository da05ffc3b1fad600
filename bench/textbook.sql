-- The textbook purchase: lock the row, check, take the stock, write the order, commit. One transaction an order.
-- :products is how many products it picks from.
\set product random(1, :products)
BEGIN;
SELECT price, stock FROM products WHERE id = :product AND deleted_at IS NULL FOR UPDATE \gset
UPDATE products SET stock = stock - 1 WHERE id = :product;
INSERT INTO orders (total_price) VALUES (:price) RETURNING id AS order_id \gset
INSERT INTO order_items (order_id, product_id, quantity, unit_price) VALUES (:order_id, :product, 1, :price);
COMMIT;
