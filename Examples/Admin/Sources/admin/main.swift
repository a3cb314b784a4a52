// SPDX-License-Identifier: Apache-2.0

import AdminDemo
import Apus
import ApusAdmin

// A busy service and its admin page: look at it until Ctrl-C. A port may be told: admin 9901
var options = AdminOptions()
if let text = CommandLine.arguments.dropFirst().first, let port = Int(text) { options.port = port }
let shop = try await WatchedShop(options: options)
async let trade: Void = shop.trade()
try await shop.page.run { address in print("the admin page: \(address)") }
await trade
