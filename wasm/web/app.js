// How the app starts in a browser. This stands where go-app would put its own
// /app.js, and keeps its side of the bargain: the functions and variables named
// goapp… are those that the program calls or sets. What is different: progress is a
// thin bar that covers nothing, a program that died is started again, an update
// is offered and never forced, and a start from the cache streams straight into the
// compiler.

// Part 0: what a person chose for the looks, before the program can say it.

try {
  const theme = localStorage.getItem("parley.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // a browser that keeps nothing has nothing chosen
}

// Part 1: what the program asks of the page.

// Where on its host the app is: "/", or a path with a slash at its end.
const root = new URL(".", document.querySelector('link[rel="manifest"]').href).pathname;

var goappNav = () => {};
var goappOnUpdate = () => { goappUpdatedBeforeWasmLoaded = true; };
var goappUpdatedBeforeWasmLoaded = false;
var goappOnAppInstallChange = () => { goappAppInstallChangedBeforeWasmLoaded = true; };
var goappAppInstallChangedBeforeWasmLoaded = false;

function goappGetenv(name) {
  return {
    GOAPP_VERSION: "__VERSION__",
    GOAPP_INTERNAL_URLS: "null",
    GOAPP_STATIC_RESOURCES_URL: root + "web",
    GOAPP_ROOT_PREFIX: root,
  }[name];
}

// Other people's additions to the page (translators, password managers) stand behind
// the program's own element and do not disturb it: nothing is cleaned away.
function goappKeepBodyClean() {
  return () => {};
}

// Part 2: installing.

let installPrompt = null;

window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // the app shows its own button
  installPrompt = event;
  goappOnAppInstallChange();
});

window.addEventListener("appinstalled", () => {
  installPrompt = null;
  goappOnAppInstallChange();
});

function goappIsAppInstalled() {
  return navigator.standalone === true || matchMedia("(display-mode: standalone)").matches;
}

function goappIsAppInstallable() {
  return !goappIsAppInstalled() && (installPrompt !== null || goappIsAppleBrowser());
}

// Safari has no install prompt: the app shows where its menu has the entry.
function goappIsAppleBrowser() {
  const agent = navigator.userAgent;
  const touchMac = /\bMacintosh\b/.test(agent) && navigator.maxTouchPoints > 1; // what an iPad calls itself
  const safari = /\bMacintosh\b.*\bSafari\b/.test(agent) && !/\b(Chrome|Edg|OPR)\b/.test(agent);
  return touchMac || safari || /\b(iPhone|iPad|iPod)\b/.test(agent);
}

async function goappShowInstallPrompt() {
  if (!installPrompt) return;
  const prompt = installPrompt;
  installPrompt = null; // it can be shown once
  await prompt.prompt();
  await prompt.userChoice;
  goappOnAppInstallChange();
}

// Part 3: the service worker and updates.

let registration = null;
let lookedForUpdate = Date.now();

async function registerWorker() {
  if (!("serviceWorker" in navigator)) return;
  try {
    registration = await navigator.serviceWorker.register(root + "app-worker.js", { updateViaCache: "none" });
  } catch (error) {
    console.warn("offline start is not available:", error); // a private window, or no TLS
    return;
  }
  if (registration.waiting) offer(registration.waiting);
  if (registration.installing) watch(registration.installing);
  registration.addEventListener("updatefound", () => watch(registration.installing));
  setInterval(goappTryUpdate, 30 * 60 * 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && Date.now() - lookedForUpdate > 10 * 60 * 1000) goappTryUpdate();
  });
}

function goappTryUpdate() {
  lookedForUpdate = Date.now();
  registration?.update().catch(() => {}); // no network: the next look finds it
}

function watch(worker) {
  worker?.addEventListener("statechange", () => {
    if (worker.state === "installed" && registration.active) offer(worker);
  });
}

// offer lets a waiting worker take over if this page is of its version already.
// Otherwise the person is told that there is a new one, and reloads when it suits.
function offer(worker) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = (event) => {
    port1.close();
    if (!event.data) goappOnUpdate();
  };
  worker.postMessage({ takeOver: "__VERSION__" }, [port2]);
}

// Part 4: the program.

const loader = document.getElementById("app-wasm-loader");
const label = document.getElementById("app-wasm-loader-label");
const says = language().toLowerCase().startsWith("zh")
  ? {
      loading: "正在加载应用",
      failed: "应用未能加载。请检查网络连接，然后重新加载此页面。",
      stopped: "应用意外停止。您写下的内容已保留在此浏览器中。",
      old: "此浏览器不支持 WebAssembly。请更新浏览器，或换用另一个浏览器。",
      reload: "重新加载",
    }
  : {
      loading: "Loading the app",
      failed: "The app could not be loaded. Check your connection, then reload this page.",
      stopped: "The app stopped unexpectedly. What you wrote is kept in this browser.",
      old: "This browser cannot run WebAssembly. Update it, or use another one.",
      reload: "Reload",
    };

// language is what the person chose in the app, else what the browser says.
function language() {
  try {
    return localStorage.getItem("parley.lang") || navigator.language;
  } catch {
    return navigator.language; // storage is forbidden here
  }
}

function showProgress(percent) {
  loader.setAttribute("aria-valuenow", percent);
  loader.style.setProperty("--progress", percent / 100);
}

function showTrouble(sentence) {
  const button = document.createElement("button");
  button.textContent = says.reload;
  button.addEventListener("click", () => location.reload());
  label.textContent = sentence;
  loader.replaceChildren(label, button);
  for (const name of ["aria-valuenow", "aria-valuemin", "aria-valuemax", "aria-label"]) loader.removeAttribute(name);
  loader.setAttribute("role", "alert");
  loader.classList.add("trouble");
  document.body.append(loader);
}

// lead brings a reader to where the app is who came by the address of the machine, or left out the last slash.
function lead() {
  const { pathname, search, hash } = location;
  if (pathname.startsWith(root)) return false;
  location.replace(root + (pathname + "/" === root ? "" : pathname.slice(1)) + search + hash);
  return true;
}

async function start() {
  if (lead()) return;
  if (typeof WebAssembly !== "object" || !WebAssembly.instantiateStreaming) return showTrouble(says.old);
  loader.setAttribute("role", "progressbar");
  loader.setAttribute("aria-label", says.loading);
  loader.setAttribute("aria-valuemin", "0");
  loader.setAttribute("aria-valuemax", "100");
  label.textContent = "";
  showProgress(0);
  const go = new Go();
  let wasm;
  try {
    const answer = await fetch(root + "__WASM__");
    if (!answer.ok) throw new Error("status " + answer.status);
    // From the worker's cache it is there at once, and the browser can use code that
    // it compiled before, which it does only for a response that is as it came.
    const body = navigator.serviceWorker?.controller ? answer : counted(answer);
    wasm = await WebAssembly.instantiateStreaming(body, go.importObject);
  } catch (error) {
    console.error("loading the app:", error);
    return showTrouble(says.failed);
  } finally {
    registerWorker(); // not before: it fetches the same files, and finds them in the browser's cache
  }
  const ended = go.run(wasm.instance);
  loader.remove();
  await ended; // it never ends, unless it died
  restart();
}

function counted(answer) {
  const total = Number("__WASM_SIZE__");
  let have = 0;
  const count = new TransformStream({
    transform(chunk, out) {
      have += chunk.byteLength;
      showProgress(Math.min(100, Math.round((have * 100) / total)));
      out.enqueue(chunk);
    },
  });
  return new Response(answer.body.pipeThrough(count), { headers: { "Content-Type": "application/wasm" } });
}

// restart reloads the page of a program that died, but not for ever: three
// times in five minutes, then a person decides.
let restarting = false;

function restart() {
  if (restarting) return;
  restarting = true;
  try {
    const recent = JSON.parse(sessionStorage.getItem("restarts") ?? "[]").filter((at) => Date.now() - at < 5 * 60 * 1000);
    if (recent.length >= 3) return showTrouble(says.stopped);
    sessionStorage.setItem("restarts", JSON.stringify([...recent, Date.now()]));
  } catch {
    return showTrouble(says.stopped); // without a memory one cannot count
  }
  location.reload();
}

window.addEventListener("error", (event) => {
  if (/Go program has already exited/.test(event.message)) restart();
});

start();
