/** How people call this program here, for the lines that they are told to type. */
import { isInstalled } from '../core/package-root.ts';

export const calledAs = isInstalled ? 'portcullis' : 'npm run -s cli --';
