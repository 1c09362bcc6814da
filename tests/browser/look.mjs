// Looks at pages in a headless Chromium as a person would: on a desk and on a phone, light and dark.
//
//   node tests/browser/look.mjs FOLDER PAGE...
//
// writes FOLDER/<page>-<width>-<scheme>.png and prints, as JSON, a finding for each page and width:
// what the console said, what was asked of the network, and which elements are cut or stick out.
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const VIEWS = [
  { width: 1280, height: 900, scheme: "light" },
  { width: 390, height: 844, scheme: "light" },
  { width: 390, height: 844, scheme: "dark" },
];

const [folder, ...pages] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  args: chromium.args,
  headless: "shell",
});
const findings = [];
try {
  for (const page of pages) {
    for (const view of VIEWS) {
      findings.push(await look(page, view));
    }
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(findings));

async function look(file, { width, height, scheme }) {
  const url = pathToFileURL(resolve(file)).href;
  const tab = await browser.newPage();
  const finding = { page: file, width, scheme, console: [], requests: [] };
  tab.on("console", (message) => finding.console.push(`${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => finding.console.push(`error: ${error.message}`));
  tab.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) finding.requests.push(request.url());
  });
  await tab.setViewport({ width, height, deviceScaleFactor: 1 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.goto(url, { waitUntil: "load" });
  await tab.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  Object.assign(finding, await tab.evaluate(measure));
  finding.screenshot = join(folder, `${basename(file, ".html")}-${width}-${scheme}.png`);
  await tab.screenshot({ path: finding.screenshot, fullPage: true });
  finding.bytes = (await readFile(file)).length;
  await tab.close();
  return finding;
}

// Runs in the page. Texts of a plot are measured too: they may leave its frame, but not the page.
function measure() {
  const edge = document.documentElement.clientWidth;
  const name = (element) =>
    `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ` +
    (element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 60);
  const cut = [];
  const outside = [];
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 && box.height === 0) continue;
    if (box.right > edge + 0.5 || box.left < -0.5) outside.push(name(element));
    // An inline element has no scroll size, and what a plot draws has none either.
    const drawn = element.closest("svg") !== null;
    const hides = getComputedStyle(element).overflowX !== "visible";
    if (!drawn && (element.scrollWidth > edge || (hides && element.scrollWidth > element.clientWidth)))
      cut.push(name(element));
  }
  const texts = [...document.querySelectorAll("svg text")].map((text) => {
    const box = text.getBoundingClientRect();
    return { text: text.textContent, size: Math.round(box.height * 10) / 10 };
  });
  return {
    title: document.title,
    scroll: document.documentElement.scrollWidth,
    edge,
    cut,
    outside,
    headings: [...document.querySelectorAll("h2")].map((one) => one.textContent.trim()),
    plots: [...document.querySelectorAll("svg")].map((svg) => {
      const box = svg.getBoundingClientRect();
      return { name: svg.getAttribute("aria-label"), width: Math.round(box.width), height: Math.round(box.height) };
    }),
    smallest_label: Math.min(99, ...texts.map((one) => one.size)),
  };
}
