// Chromium, and people in it.

import { chromium } from 'playwright-core'
import { patience } from '../js/lib/wait.mjs'

export const launch = async (t) => {
  const browser = await chromium.launch({
    timeout: patience,
    executablePath: process.env.FJORD_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run', '--disable-dev-shm-usage']
  })
  t.after(() => browser.close())
  return browser
}

/** A page of somebody's own: own storage, own connection. */
export const openPage = async (browser, options) => {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(patience)
  return context.newPage()
}

/**
 * A page, and the list of what it did that it must not: errors in the console,
 * exceptions and rejections that nobody caught, requests to strange hosts.
 * A lost server is logged by the browser itself; that is the test's doing.
 */
export const watch = (page, hosts) => {
  const sins = []
  page.on('pageerror', (error) => sins.push(String(error)))
  page.on('console', (message) => { if (message.type() === 'error' && !/WebSocket connection|ERR_INTERNET_DISCONNECTED/.test(message.text())) sins.push(message.text()) })
  for (const event of ['request', 'websocket']) {
    page.on(event, (request) => { if (!hosts.includes(new URL(request.url()).host)) sins.push(`${event} to ${request.url()}`) })
  }
  return sins
}
