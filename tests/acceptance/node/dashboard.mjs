// Drives the dashboard in Chromium. node dashboard.mjs BASE TOKEN FOLDER PART [STUDY ...]
// Parts: look DELIVERED DEAD, steer HANGING RECEIVING, models. Prints one JSON object with what
// was seen and writes screenshots.
import { createRequire } from 'node:module';
const require = createRequire(process.env.PEERS + '/');
const { chromium } = require('playwright-core');
const [base, token, folder, part, ...studies] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
});
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
const seen = { errors: [] };
page.on('pageerror', (e) => seen.errors.push(String(e)));
page.on('console', (m) => { if (m.type() === 'error') seen.errors.push(m.text()); });
const shot = (name) => page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
const state = () => page.locator('.job .pill').first().innerText();
const waitFor = (text) => page.locator('.job .pill', { hasText: text }).first().waitFor({ timeout: 40000 });
// Wider than its window means something is cut off or has to be scrolled sideways.
const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

async function logIn() {
  await page.goto(base + '/login');
  await page.fill('#token', token);
  await page.click('button.primary');
}

async function look([delivered, dead]) {
  await page.goto(base + '/');
  seen.redirected = page.url();
  await shot('login');
  await page.fill('#token', 'wrong-token-0123456789');
  await page.click('button');
  seen.refused = await page.locator('[role=alert]').innerText();
  seen.errors = [];  // the refusal is a 403, which Chromium logs
  await page.fill('#token', token);
  await page.click('button');
  seen.worklist = await page.locator('tbody tr').allInnerTexts();
  seen.tiles = await page.locator('.tile').allInnerTexts();
  await shot('worklist');
  await page.selectOption('select[name=state]', 'dead-letter');
  await page.click('text=Filter');
  seen.filtered = await page.locator('tbody tr').count();
  await page.fill('input[name=q]', 'nobody');
  await page.click('text=Filter');
  seen.empty = await page.locator('.empty').innerText();
  await shot('worklist-empty');
  await page.goto(`${base}/study/${delivered}`);
  seen.timeline = await page.locator('.timeline b').allInnerTexts();
  seen.evidence = await page.locator('.evidence').first().innerText();
  seen.curve = await page.locator('.curve figcaption').innerText();
  seen.line = await page.locator('polyline.patient').evaluate((l) => l.getBBox().width);
  seen.picture = await page.locator('img.key').first().evaluate((i) => [i.naturalWidth, i.naturalHeight]);
  const pdf = await page.request.get(base + await page.locator('iframe.pdf').first().getAttribute('src'));
  seen.pdf = [pdf.headers()['content-type'], (await pdf.body()).subarray(0, 4).toString()];
  seen.overflow = await overflow();
  await page.waitForTimeout(2500);
  await page.locator('iframe.pdf').first().scrollIntoViewIfNeeded();
  await page.locator('iframe.pdf').first().screenshot({ path: `${folder}/pdf.png` });
  await shot('study');
  await page.goto(`${base}/study/${dead}`);
  await shot('dead-letter');
  await page.click('text=Retry');
  seen.afterRetry = await page.locator('.timeline b').allInnerTexts();
  await page.goto(`${base}/system`);
  seen.system = await page.locator('main').innerText();
  await shot('system');
  await page.setViewportSize({ width: 800, height: 900 });
  await page.goto(`${base}/study/${delivered}`);
  seen.narrowOverflow = await overflow();
  await shot('study-narrow');
  await page.click('text=Log out');
  seen.loggedOut = page.url();
}

async function steer([hanging, receiving]) {
  await logIn();
  await page.goto(`${base}/study/${hanging}`);
  await waitFor('analyzing');
  seen.steps = await page.locator('.steps li').allInnerTexts();
  await shot('analyzing');
  await page.click('text=Cancel');
  seen.afterCancel = await state();
  await page.goto(`${base}/study/${receiving}`);
  seen.banner = await page.locator('.banner').innerText();
  await page.click('text=Declare complete');
  seen.forced = await page.locator('.timeline b').allInnerTexts();
  await page.goto(`${base}/system`);
  await page.click('text=Resume work');
  await page.goto(`${base}/study/${receiving}`);
  await waitFor('delivered');  // the page follows by itself, without a click
  seen.completeBecause = await page.locator('.evidence dd').first().innerText();
}

async function models() {
  await logIn();
  await page.goto(`${base}/models`);
  seen.before = await page.locator('tbody .pill').allInnerTexts();
  await page.selectOption('select[name=mode]', process.env.MODE);
  await page.click('tbody button');
  seen.after = await page.locator('tbody .pill').allInnerTexts();
  seen.changes = await page.locator('.timeline b').allInnerTexts();
  await shot(`models-${process.env.MODE}`);
}

await { look, steer, models }[part](studies);
console.log(JSON.stringify(seen));
await browser.close();
