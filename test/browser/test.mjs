// usage: node test.mjs DEMO.json SCREENSHOT_DIR PROFILE_DIR
// Opens every page of the demo as a phone and as a desk sees it, in both languages, and fails on what a visitor would trip over.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'

const [demoFile, shots, profile] = process.argv.slice(2)
const demo = JSON.parse(readFileSync(demoFile, 'utf8'))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const phone = { width: 390, height: 844 }
const desk = { width: 1200, height: 900 }

// What each page must say first, in each language: the verdict a shopper came for.
const verdict = {
  safe: { zh: /安全|可以食用|未发现|没有/, en: /safe|no problem|no hold/i },
  held: { zh: /暂停|封存|查封|扣留|停售/, en: /hold/i },
  recalled: { zh: /召回/, en: /recall/i },
}

const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  viewport: phone,
  bypassCSP: true, // for axe, which is injected; the pages' own policy is checked from the header below
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
})
let passed = 0
const failures = []
const check = async (name, run) => {
  try { await run(); passed++; console.log('ok  ', name) } catch (e) { failures.push(name); console.log('FAIL', name, '\n    ', e.message) }
}

async function visit (url, lang, size, shot) {
  const page = await browser.newPage()
  const noise = []
  page.on('console', m => { if (m.type() === 'error') noise.push(m.text()) })
  page.on('pageerror', e => noise.push(String(e)))
  await page.setViewportSize(size)
  await page.setExtraHTTPHeaders({ 'Accept-Language': lang === 'zh' ? 'zh-CN,zh;q=0.9' : 'en-GB,en;q=0.9' })
  const res = await page.goto(url, { waitUntil: 'load' })
  const bytes = (await res.body()).length
  assert.ok(bytes < 50 * 1024, `page has ${bytes} bytes, allowed are 51200`)
  assert.match(res.headers()['content-security-policy'] ?? '', /default-src/)
  assert.match(await page.getAttribute('html', 'lang'), lang === 'zh' ? /^zh/ : /^en/)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  assert.ok(wide <= 0, `page is ${wide} px wider than the screen`)
  await page.screenshot({ path: `${shots}/${shot}.png`, fullPage: size === phone })
  await page.addScriptTag({ content: axe })
  const report = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  const serious = report.violations.filter(v => ['serious', 'critical'].includes(v.impact))
  assert.deepEqual(serious.map(v => `${v.id}: ${v.nodes.map(n => n.target).slice(0, 3).join(' ; ')}`), [])
  assert.deepEqual(noise.filter(t => !/favicon/.test(t)), [])
  return page
}

for (const lang of ['zh', 'en']) {
  for (const lot of demo.lots) {
    await check(`consumer page, ${lot.status}, ${lang}, phone`, async () => {
      const page = await visit(lot.page, lang, phone, `lot-${lot.status}-${lang}-phone`)
      const first = await page.innerText('main')
      assert.match(first.slice(0, 300), verdict[lot.status][lang])
      await page.close()
    })
  }
  await check(`consumer page, ${lang}, desk`, async () => {
    const page = await visit(demo.lots[0].page, lang, desk, `readme-lot-${lang}`)
    await page.close()
  })
  await check(`start page, ${lang}`, async () => {
    const page = await visit(demo.url, lang, phone, `start-${lang}`)
    const links = await page.$$eval('main a', a => a.map(x => x.href))
    const paths = links.map(h => new URL(h).pathname)
    assert.ok(demo.lots.every(l => paths.includes(new URL(l.page).pathname)), `start page links: ${links}`)
    await page.close()
  })
}

await check('language switch keeps the page', async () => {
  const page = await visit(demo.lots[0].page, 'zh', phone, 'switch')
  await page.click('a[hreflang="en"], a[lang="en"]')
  await page.waitForLoadState()
  assert.match(await page.getAttribute('html', 'lang'), /^en/)
  assert.equal(new URL(page.url()).pathname, new URL(demo.lots[0].page).pathname)
  await page.close()
})

await check('works without script', async () => {
  const res = await browser.request.get(demo.lots[0].page)
  assert.ok(!/<script/i.test(await res.text()), 'the page has a script')
})

await check('a lot that nobody knows gets a helpful page', async () => {
  const page = await browser.newPage()
  const res = await page.goto(new URL('/01/06901234567892/10/NOBODY-KNOWS', demo.url).href)
  assert.equal(res.status(), 404)
  assert.ok((await page.innerText('main')).length > 40)
  await page.close()
})

await browser.close()
console.log(`${passed} passed, ${failures.length} failed`)
process.exit(failures.length ? 1 : 0)
