const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** Elements that run something, load something, or take over the page, whatever their attributes. */
export const ACTIVE_ELEMENTS = set(
  'script iframe frame frameset object embed applet meta link base style svg math xss vmlframe import importimplementation ' +
    'layer ilayer bgsound isindex xml form dialog noscript noembed template portal fencedframe foreignobject animate set ' +
    'marquee keygen xmp plaintext handler listener',
);
/** Those that stand for types in generics and components in code, so that more than the name is needed. */
export const AMBIGUOUS_ELEMENTS = set(
  'object link form base meta style template set dialog import handler listener frame layer xml portal animate',
);
/** The other elements of HTML; an attribute of theirs may still be active. */
export const PLAIN_ELEMENTS = set(
  'a abbr address area article aside audio b bdi bdo big blockquote body br button canvas caption center cite code col ' +
    'colgroup data datalist dd del details dfn dir div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 ' +
    'head header hr html i image img input ins kbd label legend li main map mark menu menuitem meter nav nobr ol optgroup ' +
    'option output p param picture pre progress q rb rp rt ruby s samp search section select slot small source span strike ' +
    'strong sub summary sup table tbody td textarea tfoot th thead time title tr track tt u ul var video wbr',
);

/** What names of events begin with, behind `on`. */
export const EVENT_STEMS: readonly string[] = (
  'abort activate after animation append aria audio auto background beacon before begin blocked blur bounce buffer ' +
  'cache can canplay cell change check click close command complete composition connect content contextmenu control copy ' +
  'coord cuechange cut data date dblclick deactivate device devicechange document dom drag drop dur emptied encrypted end ' +
  'ended error file filter finish focus form fullscreen gamepad gesture get got graphic hash help icecandidate image input ' +
  'invalid key language layout levelchange load lose lost mark mediacomplete message mouse move mute navigate noupdate ' +
  'obsolete offline online open orientation outofsync over page pagehide paint paste pause phase play pointer popstate ' +
  'progress propertychange ratechange readystate rejection removetrack repeat reset resize resume reverse row ' +
  'scroll search security seek select show shipping signaling size slot sound stalled start state stop storage submit ' +
  'suspend sync text time toggle touch track transition unhandled unload update upgrade url userproximity valuechange ' +
  'visibility voices volumechange waiting warning webkit wheel zoom'
).split(' ');
/** English words that begin like one: `online = 1` is no attribute. */
export const NO_EVENTS = set(
  'online only once onset onto one ones onboarding ongoing onward onwards onsite onstage offline onion',
);
