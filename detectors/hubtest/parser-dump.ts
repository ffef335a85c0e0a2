/**
 * What parser assertions look at: for each stage and each node of its top level, the event as the node left it, once for each
 * line that came that far. Specification: CrowdSec `pkg/parser/runtime.go` (`StageParseCache`), `pkg/dumps/parser_dump.go`.
 */
import type { Event } from '../event.ts';
import { setOwn } from '../expr/values.ts';
import type { ParseObserver } from '../parsers/parse-observer.ts';
import { copyEvent } from './copy-event.ts';

/** With the member names of the expressions. */
export interface ParserResult {
  readonly Evt: Event;
  readonly Success: boolean;
  /** The place of the node in its stage. */
  readonly Idx: number;
}

/** By stage, then by name of the node. */
export type ParserResults = Readonly<Record<string, Readonly<Record<string, readonly ParserResult[]>>>>;

export class ParserDump implements ParseObserver {
  /** A stage of this name is always there; assertions count it. */
  readonly results: ParserResults = { success: { '': [] } };

  stage(stage: string): void {
    if (!Object.hasOwn(this.results, stage)) setOwn(this.results, stage, {});
  }

  node(stage: string, name: string, event: Event, success: boolean): void {
    this.stage(stage);
    const nodes = this.results[stage] ?? {};
    const known = Object.hasOwn(nodes, name) ? (nodes[name] as ParserResult[] | undefined) : undefined;
    const Idx = known?.[0]?.Idx ?? Object.keys(nodes).length;
    const result = { Evt: copyEvent(event), Success: success, Idx };
    if (known === undefined) setOwn(nodes, name, [result]);
    else known.push(result);
  }
}
