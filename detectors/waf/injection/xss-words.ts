/**
 * Tags, attributes and events that make a page run or load what its author did not write. From the HTML and SVG standards
 * and from the manuals of the browsers that had more of them.
 */

/** Tags that are an attack by being there: they run scripts, load documents or change what the page is. */
const tags = `
  APPLET BASE BGSOUND COMMENT EMBED EVENT-SOURCE FRAME FRAMESET HANDLER IFRAME IMPORT ISINDEX LINK LISTENER META NOSCRIPT
  OBJECT PORTAL SCRIPT STYLE VMLFRAME XML XSS`;

/** Every tag whose name begins so. */
const tagPrefixes = ['SVG', 'XSL'];

/** Attributes whose value is the address of something that is loaded, sent or followed. */
const addressAttributes = `
  ACTION BACKGROUND BY CITE CLASSID CODE CODEBASE DATA DYNSRC FOLDER FORMACTION FROM HREF ICON IMAGESRCSET LONGDESC LOWSRC
  MANIFEST PING POSTER PROFILE SRC SRCSET STYLE-SRC TO USEMAP VALUES`;

/** Attributes that run or change something whatever their value is. */
const activeAttributes = `
  -O-LINK ALLOWSCRIPTACCESS DATAFLD DATAFORMATAS DATASRC EV:EVENT EV:HANDLER FSCOMMAND SEEKSEGMENTTIME SRCDOC STYLE XMLNS
  XMLNS:XLINK XMLNS:EV XMLNS:HTML`;

/** Attributes that name another attribute, which the tag then changes. */
const indirectAttributes = 'ATTRIBUTENAME';

/** Events without their ON. */
const events = `
  ABORT ACTIVATE AFTERPRINT AFTERSCRIPTEXECUTE AFTERUPDATE ANIMATIONCANCEL ANIMATIONEND ANIMATIONITERATION ANIMATIONSTART
  AUXCLICK BEFOREACTIVATE BEFORECOPY BEFORECUT BEFOREDEACTIVATE BEFOREEDITFOCUS BEFOREINPUT BEFOREMATCH BEFOREPASTE
  BEFOREPRINT BEFORESCRIPTEXECUTE BEFORETOGGLE BEFOREUNLOAD BEFOREUPDATE BEGIN BLUR BOUNCE CANCEL CANPLAY CANPLAYTHROUGH
  CELLCHANGE CHANGE CLICK CLOSE COMPOSITIONEND COMPOSITIONSTART CONTEXTLOST CONTEXTMENU CONTEXTRESTORED CONTROLSELECT COPY
  CUECHANGE CUT DATAAVAILABLE DATASETCHANGED DATASETCOMPLETE DBLCLICK DEACTIVATE DEVICEMOTION DEVICEORIENTATION DRAG DRAGDROP
  DRAGEND DRAGENTER DRAGEXIT DRAGLEAVE DRAGOVER DRAGSTART DROP DURATIONCHANGE EMPTIED END ENDED ERROR ERRORUPDATE
  FILTERCHANGE FINISH FOCUS FOCUSIN FOCUSOUT FORMCHANGE FORMDATA FORMINPUT FULLSCREENCHANGE FULLSCREENERROR GESTURECHANGE
  GESTUREEND GESTURESTART GOTPOINTERCAPTURE HASHCHANGE HELP INPUT INVALID KEYDOWN KEYPRESS KEYUP LANGUAGECHANGE LAYOUTCOMPLETE
  LOAD LOADEDDATA LOADEDMETADATA LOADEND LOADSTART LOSECAPTURE LOSTPOINTERCAPTURE MEDIACOMPLETE MEDIAERROR MESSAGE
  MESSAGEERROR MOUSEDOWN MOUSEENTER MOUSELEAVE MOUSEMOVE MOUSEOUT MOUSEOVER MOUSEUP MOUSEWHEEL MOVE MOVEEND MOVESTART
  OFFLINE ONLINE ORIENTATIONCHANGE OUTOFSYNC PAGEHIDE PAGEREVEAL PAGESHOW PAGESWAP PASTE PAUSE PLAY PLAYING POINTERCANCEL
  POINTERDOWN POINTERENTER POINTERLEAVE POINTERMOVE POINTEROUT POINTEROVER POINTERRAWUPDATE POINTERUP POPSTATE PROGRESS
  PROPERTYCHANGE RATECHANGE READYSTATECHANGE REJECTIONHANDLED REPEAT RESET RESIZE RESIZEEND RESIZESTART RESUME REVERSE
  ROWDELETE ROWENTER ROWEXIT ROWINSERTED ROWSDELETE ROWSINSERTED SCROLL SCROLLEND SEARCH SECURITYPOLICYVIOLATION SEEK SEEKED
  SEEKING SELECT SELECTIONCHANGE SELECTSTART SHOW SLOTCHANGE STALLED START STOP STORAGE SUBMIT SUSPEND SYNCRESTORED
  TIMEERROR TIMEUPDATE TOGGLE TOUCHCANCEL TOUCHEND TOUCHMOVE TOUCHSTART TRACKCHANGE TRANSITIONCANCEL TRANSITIONEND
  TRANSITIONRUN TRANSITIONSTART UNHANDLEDREJECTION UNLOAD URLFLIP VOLUMECHANGE WAITING WEBKITANIMATIONEND
  WEBKITANIMATIONITERATION WEBKITANIMATIONSTART WEBKITTRANSITIONEND WHEEL ZOOM`;

/** What an attribute can do: run something, load what its value names, or name another attribute. */
export type AttributePower = 'none' | 'active' | 'event' | 'address' | 'indirect';

export interface XssWords {
  /** `name` in upper case. */
  isActiveTag(name: string): boolean;
  /** `inTag` tells that the text itself opened the tag, where every ON… is taken for an event. */
  powerOf(name: string, inTag: boolean): AttributePower;
}

function split(list: string): string[] {
  return list.trim().split(/\s+/);
}

/** The part of a name behind its namespace: `xlink:href`, `html:style`. */
function localName(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1);
}

export function createXssWords(): XssWords {
  const activeTags = new Set(split(tags));
  const eventNames = new Set(split(events));
  const powers = new Map<string, AttributePower>([
    ...split(addressAttributes).map((name) => [name, 'address'] as const),
    ...split(activeAttributes).map((name) => [name, 'active'] as const),
    ...split(indirectAttributes).map((name) => [name, 'indirect'] as const),
  ]);
  const isEvent = (name: string, inTag: boolean): boolean => {
    if (!name.startsWith('ON') || name.length < 5) return false;
    return inTag ? /^ON[A-Z]{3}/.test(name) : eventNames.has(/^ON([A-Z]*)/.exec(name)?.[1] ?? '');
  };
  return {
    isActiveTag: (name) => {
      const local = localName(name);
      return activeTags.has(local) || tagPrefixes.some((prefix) => local.startsWith(prefix) || name.startsWith(prefix));
    },
    powerOf: (name, inTag) => {
      if (isEvent(name, inTag)) return 'event';
      if (name.startsWith('XMLNS') || name.startsWith('XLINK')) return 'active';
      return powers.get(name) ?? powers.get(localName(name)) ?? 'none';
    },
  };
}
