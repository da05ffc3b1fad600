/** What Node.js runs in the project's root: the compiler, and TypeORM's CLI on what it has compiled. */
export const BUILD = ['node_modules/@nestjs/cli/bin/nest.js', 'build'];
export const MIGRATE = ['node_modules/typeorm/cli.js', 'migration:run', '-d', 'dist/src/database/data-source.js'];
