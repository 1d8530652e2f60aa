// The service worker: it keeps one version of the shell (page, program, styles,
// icons), so that the app starts without a network. It touches only GETs of those.
// Whatever is said to the server (/api/ and the like) passes it by: there is
// nothing of a person in its cache.
//
// The build writes in the version and the shell: each file's name and its URL, without
// what is before both: "/", or more where the app is below a path of its host. There may
// be others on that host: their caches are theirs.

const version = "__VERSION__";
const root = new URL(".", self.location).pathname;
const shell = Object.fromEntries(Object.entries("__SHELL__").map((pair) => pair.map((path) => root + path)));
const cachePrefix = "shell" + root.slice(0, -1) + "-";
const cacheName = cachePrefix + version;
const page = root;
const patience = 3000; // milliseconds for the network before the kept page is shown

const hashed = new Set(Object.values(shell).filter((url) => !(url in shell)));
const notPages = /^(api\/|web\/|livez$|readyz$)/;

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
});

async function keep() {
  const cache = await caches.open(cacheName);
  // What has no hash in its address is asked of the server, never of the browser's cache.
  const fixed = [page, ...Object.values(shell).filter((url) => !hashed.has(url))];
  await cache.addAll([...fixed.map((url) => new Request(url, { cache: "reload" })), ...hashed]);
}

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOthers());
});

async function dropOthers() {
  const names = await caches.keys();
  const old = names.filter((name) => name !== cacheName && name.slice(0, name.lastIndexOf("-") + 1) === cachePrefix);
  await Promise.all(old.map((name) => caches.delete(name)));
}

// A page of this very version asks its worker to take over from an older one;
// a page of another version is told no, and offers its reader to reload.
self.addEventListener("message", (event) => {
  if (event.data?.takeOver === undefined) return;
  const same = event.data.takeOver === version;
  event.ports[0]?.postMessage(same);
  if (same) event.waitUntil(self.skipWaiting());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (hashed.has(url.pathname)) {
    event.respondWith(kept(url.pathname, request));
  } else if (url.pathname in shell) {
    event.respondWith(fresh(shell[url.pathname], request));
  } else if (request.mode === "navigate" && !notPages.test(url.pathname.slice(root.length))) {
    event.respondWith(fresh(page, request));
  }
});

async function kept(key, request) {
  const cache = await caches.open(cacheName);
  return (await cache.match(key)) ?? fetch(request);
}

// fresh asks the network first, and shows what was kept when the network does not
// answer soon, or answers that the server behind it is away.
async function fresh(key, request) {
  const cache = await caches.open(cacheName);
  const have = await cache.match(key);
  if (!have) return fetch(request);
  const tooLate = new Promise((resolve) => setTimeout(resolve, patience));
  try {
    const answer = await Promise.race([fetch(request), tooLate]);
    return answer && ![502, 503, 504].includes(answer.status) ? answer : have;
  } catch {
    return have;
  }
}
