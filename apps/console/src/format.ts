const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const MONEY = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const MOMENT = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** Of nothing that is known. */
export const NONE = '–';

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : NUMBER.format(value);
}

/** A rate, or a count with a fraction. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  return value < 100 ? SMALL.format(value) : NUMBER.format(value);
}

export function money(value: number): string {
  return MONEY.format(value);
}

/** @param share from 0 to 1. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? NONE : `${SMALL.format(share * 100)} %`;
}

/** A span of time, in seconds. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds === 0) return '0 s';
  if (seconds < 0.01) return `${SMALL.format(seconds * 1_000)} ms`;
  if (seconds < 1) return `${NUMBER.format(seconds * 1_000)} ms`;
  if (seconds < 120) return `${SMALL.format(seconds)} s`;
  if (seconds < 7_200) return `${NUMBER.format(seconds / 60)} min`;
  if (seconds < 172_800) return `${NUMBER.format(seconds / 3_600)} h`;
  return `${NUMBER.format(seconds / 86_400)} d`;
}

/** An hour and a minute here, of seconds since 1970. */
export function clock(seconds: number): string {
  return CLOCK.format(seconds * 1_000);
}

export function moment(time: string | null): string {
  return time === null ? NONE : MOMENT.format(Date.parse(time));
}

/** `dead_letters.redriven` as a person says it. */
export function words(name: string): string {
  return name.replaceAll(/[._]/g, ' ');
}
