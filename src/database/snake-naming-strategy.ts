import { DefaultNamingStrategy } from 'typeorm';

/** Columns in `snake_case`, as SQL is written by hand, for properties in `camelCase`. */
export class SnakeNamingStrategy extends DefaultNamingStrategy {
  override columnName(propertyName: string, customName: string | undefined): string {
    return customName ?? propertyName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }
}
