import { Injectable } from '@nestjs/common';

type Listener = (productIds: readonly number[]) => Promise<void>;

/** Tells the other features of this process that stocks have changed. */
@Injectable()
export class StockChanges {
  private readonly listeners: Listener[] = [];

  /** @param listener must not throw. */
  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /**
   * Call this after the commit, and also after a commit whose outcome is not known. Resolves when every listener has heard of it,
   * so that whoever is answered after that sees the change everywhere.
   */
  async announce(productIds: readonly number[]): Promise<void> {
    if (productIds.length > 0) await Promise.all(this.listeners.map((listener) => listener(productIds)));
  }
}
