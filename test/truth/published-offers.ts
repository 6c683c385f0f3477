import type { Offer } from '../../contracts/offers.ts';
import { sqlite } from '../bench/databases.ts';
import { startApp } from '../support/app.ts';
import { recordedContent } from '../support/payloads.ts';
import { AA_KEY, startUpstream } from '../support/upstream.ts';

/** Every offer that is published after one sync of the recorded set into an empty SQLite database. */
export async function publishedOffers(): Promise<Offer[]> {
  const upstream = await startUpstream();
  Object.assign(upstream.content, recordedContent());
  const { url, drop } = await sqlite.create();
  try {
    const app = await startApp({ ...upstream.urls, ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY, DATABASE_URL: url });
    try {
      const run = await app.sync();
      if (run.status !== 'completed') throw new Error(`the sync ended as ${run.status}: ${run.message}`);
      const rows = await app.database.read.selectFrom('offers').select('document').execute();
      return rows.map(({ document }) => JSON.parse(document) as Offer);
    } finally {
      await app.stop();
    }
  } finally {
    await drop();
    await upstream.close();
  }
}
