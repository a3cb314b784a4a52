// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization
import Testing

@testable import ShopCatalog

@Suite struct CatalogSettingsTests {
    func settings(_ environment: [String: String]) throws(CatalogSettings.Fault) -> CatalogSettings {
        try CatalogSettings { environment[$0] }
    }

    @Test func `an empty environment has defaults`() throws {
        let settings = try settings(["SHOP_GRACE": "", "SHOP_ORIGIN": ""])
        #expect(settings.instance == "catalog")
        #expect(settings.grace == .seconds(20))
        #expect(settings.originClient { _ in } == nil)
    }

    @Test func `a service config that is refused is told with its source and reason`() {
        let lines = Mutex<[String]>([])
        let report = ConfigReport { line in lines.withLock { $0.append(line) } }
        report.policyEvent(.configurationRefused(source: "/etc/shop/catalog.json", reason: "line 3: no number"))
        report.policyEvent(.configurationApplied(source: "/etc/shop/catalog.json"))
        let told = [
            "the service config of /etc/shop/catalog.json is refused, the last good one stays: line 3: no number",
            "the service config of /etc/shop/catalog.json is in force",
        ]
        #expect(lines.withLock { $0 } == told)
    }

    @Test func `variables say name, grace and origin`() throws {
        let settings = try settings([
            "SHOP_LISTEN": "127.0.0.1:0", "SHOP_INSTANCE": "catalog-7", "SHOP_GRACE": "35",
            "SHOP_ORIGIN": "dns:///shop-catalog:50051", "SHOP_ORIGIN_CONFIG": "/etc/shop/catalog.json",
        ])
        #expect(settings.instance == "catalog-7")
        #expect(settings.grace == .seconds(35))
        #expect(settings.origin == "dns:///shop-catalog:50051")
        #expect(settings.originConfig == "/etc/shop/catalog.json")
    }

    @Test(arguments: [
        ["SHOP_LISTEN": "50051"], ["SHOP_GRACE": "0"], ["SHOP_GRACE": "soon"], ["SHOP_GRACE": "3601"],
        ["SHOP_ORIGIN_CONFIG": "/etc/shop/catalog.json"],
    ])
    func `what cannot be used is refused by name`(environment: [String: String]) throws {
        let fault = #expect(throws: CatalogSettings.Fault.self) { try settings(environment) }
        let name = try #require(environment.keys.first)
        #expect(fault?.description.contains(name) == true)
    }
}
