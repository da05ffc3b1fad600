/** What Node.js runs in the project's root: the compiler, and on what it has compiled TypeORM's CLI and the command for roles. */
export const BUILD = ['node_modules/@nestjs/cli/bin/nest.js', 'build'];
export const BUILD_CONSOLE = ['node_modules/vite/bin/vite.js', 'build', 'apps/console', '--logLevel', 'warn'];
export const MIGRATE = ['node_modules/typeorm/cli.js', 'migration:run', '-d', 'dist/src/database/data-source.js'];
export const MAKE_ROLES = ['dist/src/main.js', '--database-roles'];
