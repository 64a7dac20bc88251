// Drives the dashboard in Chromium. node dashboard.mjs BASE TOKEN DELIVERED_STUDY DEAD_STUDY FOLDER
// Prints one JSON object with what was seen.
import { createRequire } from 'node:module';
const require = createRequire(process.env.PEERS + '/');
const { chromium } = require('playwright-core');
const [base, token, delivered, dead, folder] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
});
const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
const seen = { errors: [] };
page.on('pageerror', (e) => seen.errors.push(String(e)));
page.on('console', (m) => { if (m.type() === 'error') seen.errors.push(m.text()); });
const shot = (name) => page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });

await page.goto(base + '/');
seen.redirected = page.url();
await page.fill('#token', 'wrong-token-0123456789');
await page.click('button');
seen.refused = await page.locator('[role=alert]').innerText();
seen.errors = [];  // the refusal is a 403, which Chromium logs
await page.fill('#token', token);
await page.click('button');
seen.worklist = await page.locator('tbody tr').allInnerTexts();
await shot('worklist');

await page.selectOption('select[name=state]', 'dead-letter');
await page.click('text=Filter');
seen.filtered = await page.locator('tbody tr').count();
await shot('worklist-filtered');

await page.goto(`${base}/study/${delivered}`);
seen.timeline = await page.locator('.timeline b').allInnerTexts();
seen.picture = await page.locator('img.key').first().evaluate((i) => [i.naturalWidth, i.naturalHeight]);
const pdf = await page.request.get(base + await page.locator('iframe.pdf').first().getAttribute('src'));
seen.pdf = [pdf.headers()['content-type'], (await pdf.body()).subarray(0, 4).toString()];
await page.waitForTimeout(2500);
await page.locator('iframe.pdf').first().scrollIntoViewIfNeeded();
await page.locator('iframe.pdf').first().screenshot({ path: `${folder}/pdf.png` });
await shot('study');

await page.goto(`${base}/study/${dead}`);
await shot('dead-letter');
await page.click('text=Retry');
seen.afterRetry = await page.locator('.timeline b').allInnerTexts();
await shot('retried');

await page.goto(`${base}/system`);
seen.system = await page.locator('main').innerText();
await shot('system');
await page.click('text=Log out');
seen.loggedOut = page.url();
console.log(JSON.stringify(seen));
await browser.close();
