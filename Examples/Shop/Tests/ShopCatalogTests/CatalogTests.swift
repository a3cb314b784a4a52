// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopCatalog
import ShopProtos
import Testing

@Suite struct CatalogTests {
    let network = InMemoryNetwork()

    func serve(_ catalog: Catalog, as name: String) throws -> (RunningServer, CatalogService.Client) {
        let running = try network.start(Server([catalog]), as: name)
        let channel = Channel(
            "catalog", interceptors: [PinnedEndpoint(Endpoint(.memory(name)))], transport: network.transport())
        return (running, CatalogService.Client(channel))
    }

    @Test func `an instance knows the price list`() async throws {
        let (running, client) = try serve(Catalog(instance: "catalog-1"), as: "one")
        let reply = try await client.getArticle(.init(sku: "tea"))
        #expect(reply == .init(sku: "tea", priceCents: PriceList.priceCents(sku: "tea"), servedBy: ["catalog-1"]))
        running.stopNow()
    }

    @Test func `an instance with an origin asks there`() async throws {
        let (origin, behind) = try serve(Catalog(instance: "catalog-1"), as: "one")
        let (front, client) = try serve(Catalog(instance: "storefront-1", origin: behind), as: "two")
        let reply = try await client.getArticle(.init(sku: "tea"))
        #expect(reply.servedBy == ["catalog-1", "storefront-1"])
        #expect(reply.priceCents == PriceList.priceCents(sku: "tea"))
        for running in [front, origin] { running.stopNow() }
    }

    @Test func `an article without a name is refused`() async throws {
        let (running, client) = try serve(Catalog(instance: "catalog-1"), as: "one")
        let error = await #expect(throws: RPCError.self) { _ = try await client.getArticle(.init()) }
        #expect(error?.code == .invalidArgument)
        running.stopNow()
    }
}
