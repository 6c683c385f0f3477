import type { Attribution } from '../contracts/common.ts';

/** How Artificial Analysis wants to be credited for its values, whichever source brought them. */
export const ARTIFICIAL_ANALYSIS: Attribution = {
  name: 'Artificial Analysis',
  url: 'https://artificialanalysis.ai',
};

/** Whether a value is owed to Artificial Analysis. */
export function isArtificialAnalysis({ attribution }: { attribution: Attribution | null }): boolean {
  return attribution?.name === ARTIFICIAL_ANALYSIS.name;
}
