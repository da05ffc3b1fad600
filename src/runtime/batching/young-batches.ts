const doNothing = () => undefined;

/** The batches that have not run for so long yet that another one begins beside them. */
export class YoungBatches {
  private count = 0;

  constructor(
    private readonly youngMs: number | undefined,
    private readonly onGrown: () => void,
  ) {}

  get none(): boolean {
    return this.count === 0;
  }

  /** A batch begins; gives what is to be called when it ends. */
  begin(): () => void {
    if (this.youngMs === undefined) return doNothing;
    this.count++;
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      this.count--;
    };
    timer = setTimeout(() => {
      end();
      this.onGrown();
    }, this.youngMs);
    return end;
  }
}
