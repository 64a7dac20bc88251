// Looks at delivered results in OHIF. node viewer.mjs BASE STUDY FOLDER SLICE [PARTS]
// Takes seg.png, sr.png and pdf.png of the viewport and prints what was seen as JSON.
import { createRequire } from 'node:module';
const require = createRequire(process.env.PEERS + '/');
const { chromium } = require('playwright-core');
const [base, study, folder, slice, parts = 'seg,sr,pdf'] = process.argv.slice(2);
const seen = { errors: [] };
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking',
    '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
});

async function open() {
  const page = await (await browser.newContext({ viewport: { width: 1600, height: 900 } })).newPage();
  page.on('pageerror', (e) => seen.errors.push(String(e).slice(0, 300)));
  await page.goto(`${base}/viewer?StudyInstanceUIDs=${study}`, { waitUntil: 'domcontentloaded' });
  const skip = page.getByText('Skip all');
  await skip.waitFor({ timeout: 120000 });
  await skip.click();
  await page.locator('[data-cy^="study-browser-thumbnail"]').first().waitFor({ timeout: 120000 });
  await page.waitForTimeout(6000);  // an SR that is opened too early crashes OHIF
  return page;
}
const item = (page, text) =>
  page.locator('[data-cy^="study-browser-thumbnail"]').filter({ hasText: text }).first();
const canvas = (page) => page.locator('.cornerstone-canvas').first();

async function hydrate(page) {
  const yes = page.locator('[data-cy="yes-hydrate-btn"]');
  try { await yes.waitFor({ timeout: 60000 }); await yes.click(); return true; } catch { return false; }
}

async function scroll(page, wanted) {
  await canvas(page).hover();
  for (let i = 0; i < 300; i++) {
    const text = await page.locator('[data-cy="viewport-overlay-bottom-right"]').first().innerText();
    const found = text.match(/\((\d+)\/(\d+)\)/);
    if (found && +found[1] === wanted) return true;
    await page.mouse.wheel(0, found && +found[1] > wanted ? -100 : 100);
    await page.waitForTimeout(120);
  }
  return false;
}

if (parts.includes('seg')) {
  const page = await open();
  seen.thumbnails = await page.locator('[data-cy^="study-browser-thumbnail"]').allInnerTexts();
  await scroll(page, +slice);
  await page.waitForTimeout(1500);
  await canvas(page).screenshot({ path: `${folder}/ct.png` });
  await item(page, 'SEG').dblclick();
  seen.segHydrated = await hydrate(page);
  await page.waitForTimeout(4000);
  seen.segSlice = await scroll(page, +slice);
  await page.locator('[data-cy="panelSegmentation-btn"]').first().click().catch(() => {});
  await page.waitForTimeout(3000);
  await canvas(page).screenshot({ path: `${folder}/seg.png` });
  await page.screenshot({ path: `${folder}/seg-page.png` });
  await page.close();
}
if (parts.includes('sr')) {
  const page = await open();
  await item(page, 'SR').dblclick();
  await page.locator('[data-cy="yes-hydrate-btn"], svg.svg-layer line').first()
    .waitFor({ state: 'attached', timeout: 120000 }).catch((e) => seen.errors.push(String(e).slice(0, 200)));
  await page.waitForTimeout(6000);
  await page.screenshot({ path: `${folder}/sr-page.png` });
  await canvas(page).screenshot({ path: `${folder}/sr.png` });
  seen.srOverlay = await page.locator('svg.svg-layer').allInnerTexts();
  seen.srSlice = await page.locator('[data-cy="viewport-overlay-bottom-right"]').first().innerText().catch(() => '');
  await page.close();
}
if (parts.includes('pdf')) {
  const page = await open();
  await item(page, 'DOC').dblclick();
  const frame = page.locator('object[type="application/pdf"]');
  await frame.first().waitFor({ timeout: 60000 });
  await page.waitForTimeout(5000);
  seen.pdf = await frame.first().getAttribute('data');
  await frame.first().screenshot({ path: `${folder}/pdf.png` });
  await page.screenshot({ path: `${folder}/pdf-page.png` });
  await page.close();
}
console.log(JSON.stringify(seen));
await browser.close();
