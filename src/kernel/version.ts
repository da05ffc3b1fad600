export const NAME = 'Order System';
export const VERSION = '1.0.0';
