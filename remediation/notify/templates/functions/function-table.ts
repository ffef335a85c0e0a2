/** Every function that a template may call, and those of Sprig and CrowdSec that are not offered, each with its reason. */
import type { TemplateFunction } from '../values.ts';
import { builtinFunctions } from './builtins.ts';
import { comparisonFunctions } from './comparisons.ts';
import { crowdsecFunctions } from './crowdsec-functions.ts';
import { dateFunctions } from './date-functions.ts';
import { encodingFunctions } from './encoding-functions.ts';
import { listFunctions } from './list-functions.ts';
import { mapFunctions } from './map-functions.ts';
import { numberFunctions } from './number-functions.ts';
import { pathFunctions } from './path-functions.ts';
import { patternFunctions } from './pattern-functions.ts';
import { textFunctions } from './text-functions.ts';
import { valueFunctions } from './value-functions.ts';
import { versionFunctions } from './version-functions.ts';
import { wordFunctions } from './word-functions.ts';

export interface FunctionTable {
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  /** Why a function is refused, by its name. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Sprig's come after the built-in ones and win (`slice`), as in CrowdSec. */
export function functionTable(): FunctionTable {
  return {
    functions: new Map(
      Object.entries({
        ...builtinFunctions,
        ...comparisonFunctions,
        ...textFunctions,
        ...wordFunctions,
        ...listFunctions,
        ...mapFunctions,
        ...numberFunctions,
        ...valueFunctions,
        ...dateFunctions,
        ...encodingFunctions,
        ...patternFunctions,
        ...pathFunctions,
        ...versionFunctions,
        ...crowdsecFunctions,
      }),
    ),
    refused: new Map([
      ...names('env expandenv', 'a template may not read the environment, where secrets stand'),
      ...names('getHostByName', 'a template may not ask the network'),
      ...names('CrowdsecCTI', "it asks CrowdSec's threat intelligence, which this gateway does not use"),
      ...names(
        'bcrypt htpasswd genPrivateKey derivePassword buildCustomCert genCA genCAWithKey genSelfSignedCert ' +
          'genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES decryptAES',
        'keys and passwords are not made in notifications',
      ),
    ]),
  };
}

function names(list: string, reason: string): (readonly [string, string])[] {
  return list.split(' ').map((name) => [name, reason]);
}
