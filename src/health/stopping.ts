import { Injectable } from '@nestjs/common';

/** Whether the process is about to stop: then it is not ready, though it still answers. */
@Injectable()
export class Stopping {
  private hasBegun = false;

  get isUnderWay(): boolean {
    return this.hasBegun;
  }

  begin(): void {
    this.hasBegun = true;
  }
}
