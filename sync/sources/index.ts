import type { SourceDefinition } from '../source.ts';
import { artificialAnalysis } from './artificial-analysis.ts';
import { huggingFace } from './huggingface.ts';
import { modelsDev } from './models-dev.ts';
import { openRouter } from './openrouter.ts';

/** The copy of a catalogue that is installed with the service. */
export { bundled as BUNDLED } from './bundled.ts';

/** Every upstream catalogue that is synced. */
export const SOURCES: SourceDefinition[] = [modelsDev, openRouter, huggingFace, artificialAnalysis];
