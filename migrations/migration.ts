import { Migration } from '@mikro-orm/migrations';

/** A migration of both databases: the statements of the one that is connected are run. */
export abstract class MikroMigration extends Migration {
  abstract sqlite: string[];
  abstract postgresql: string[];

  override up(): void {
    const statements = /sqlite/i.test(this.driver.constructor.name) ? this.sqlite : this.postgresql;
    for (const statement of statements) this.addSql(statement);
  }
}
