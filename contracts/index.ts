import { changesAtom, streamChanges } from './change-feeds.ts';
import { listChanges } from './changes.ts';
import { listConflicts } from './conflicts.ts';
import { getHistory } from './history.ts';
import { listIncidents, openIncident, updateIncident } from './incidents.ts';
import { listEndings } from './lifecycle.ts';
import { getModel, listModels } from './models.ts';
import { listOffers } from './offers.ts';
import { createRouterOf, type HandlersOf, type RouterOf } from './operation.ts';
import { listProviders } from './providers.ts';
import { resolveName, resolveNames } from './resolve.ts';
import type { RawHandlersOf } from './raw.ts';
import { getStatusSummary } from './status-summary.ts';
import { getRun, listRuns, listSources, startSync } from './sync.ts';
import { getHealth, getLive, getReady, getStatus } from './system.ts';

/** The whole API: the names are those of the tRPC procedures, the paths stand in the contracts. */
export const api = {
  health: { get: getHealth, live: getLive, ready: getReady },
  status: { get: getStatus, summary: getStatusSummary },
  models: { list: listModels, get: getModel, offers: listOffers, history: getHistory },
  resolve: { get: resolveName, many: resolveNames },
  changes: { list: listChanges },
  lifecycle: { list: listEndings },
  conflicts: { list: listConflicts },
  providers: { list: listProviders },
  sources: { list: listSources },
  incidents: { list: listIncidents },
  admin: {
    sync: { start: startSync, history: listRuns, get: getRun },
    incidents: { open: openIncident, update: updateIncident },
  },
};

/** What is not JSON: in REST and in the document under these names, not in tRPC. */
export const raw = {
  'changes.atom': changesAtom,
  'changes.stream': streamChanges,
};

/** What the server has to implement for it. */
export type RawHandlers<Answer> = RawHandlersOf<typeof raw, Answer>;

/** What the server has to implement. */
export type Handlers = HandlersOf<typeof api>;

/** The type of the API's tRPC router; all that a typed client needs. */
export type AppRouter = RouterOf<typeof api>;

/** Makes the API's tRPC router from its handlers. */
export function createRouter(handlers: Handlers): AppRouter {
  return createRouterOf(api, handlers);
}
