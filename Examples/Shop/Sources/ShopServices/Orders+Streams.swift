// SPDX-License-Identifier: Apache-2.0

public import Apus
import ShopCatalog
public import ShopProtos
import ShopStore

extension Orders {
    /// Tells each state of an order when it is reached, by whichever process, and ends after the last.
    public func watchOrder(
        _ request: WatchOrderRequest, to writer: ResponseWriter<ProtobufCodec<ShopProtos.OrderUpdate>>,
        call: ServerCall
    ) async throws {
        var last = request.afterStateSequence
        // First the version, then the data: what is written between the two is not missed.
        var version = changes.version
        while true {
            for update in try store.updates(orderID: request.orderId, after: last) {
                try await writer.write(OrderUpdate(update))
                last = update.sequence
            }
            // The head goes out also when there is no news yet: the client knows then that it is heard.
            call.sendInitialMetadata()
            if last >= ShopStore.OrderState.last.rawValue { return }
            version = try await changes.next(after: version)
        }
    }

    /// Answers each question about a price as it comes.
    public func quote(
        _ requests: RequestStream<ProtobufCodec<QuoteRequest>>, to writer: ResponseWriter<ProtobufCodec<QuoteReply>>,
        call: ServerCall
    ) async throws {
        for try await request in requests {
            let total = try PriceList.total(sku: request.sku, quantity: request.quantity)
            try await writer.write(QuoteReply(sku: request.sku, totalCents: total))
        }
    }
}
