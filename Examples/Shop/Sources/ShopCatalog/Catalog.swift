// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ShopProtos

/// What articles cost: from the price list, or from the instances behind this one.
public struct Catalog: CatalogService.Handler {
    private let instance: String
    private let origin: CatalogService.Client?

    /// A catalog.
    ///
    /// - Parameters:
    ///   - instance: the name that answers tell.
    ///   - origin: who is asked; nil to know the prices itself.
    public init(instance: String, origin: CatalogService.Client? = nil) {
        self.instance = instance
        self.origin = origin
    }

    /// Finds an article.
    public func getArticle(_ request: GetArticleRequest, call: ServerCall) async throws -> GetArticleReply {
        try PriceList.check(sku: request.sku)
        guard let origin else {
            let price = PriceList.priceCents(sku: request.sku)
            return GetArticleReply(sku: request.sku, priceCents: price, servedBy: [instance])
        }
        var reply = try await origin.getArticle(request)
        reply.servedBy.append(instance)
        return reply
    }
}
