// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos

/// A conversation about the price of an article: question, answer, question … A conversation that was cut is gone on
/// with at the question that was not answered.
struct Quotation: Sendable {
    private let sku: String
    private let orders: OrderService.Client
    private let ledger: Ledger

    private typealias Conversation = BidirectionalCall<ProtobufCodec<QuoteRequest>, ProtobufCodec<QuoteReply>>

    private static let quantities: [Int32] = [1, 2, 10]
    // Not each of them can be the instance that was killed.
    private static let conversations = 10

    init(sku: String, _ orders: OrderService.Client, _ ledger: Ledger) {
        self.sku = sku
        self.orders = orders
        self.ledger = ledger
    }

    /// Counts as one call, however many conversations it takes.
    func ask() async {
        guard let totals = await ledger.counting("Quote", { try await answers() }) else { return }
        let expected = Self.quantities.map { Int64($0) * (totals.first ?? 0) }
        ledger.require(totals == expected, "the prices of \(sku) do not fit: \(totals)")
    }

    private func answers() async throws(RPCError) -> [Int64] {
        var totals: [Int64] = []
        for _ in 1...Self.conversations {
            if try await talk(&totals) { return totals }
            ledger.resumed()
        }
        throw RPCError(.unavailable, "the conversation about \(sku) was cut \(Self.conversations) times")
    }

    /// - Returns: whether all questions were answered; false when the conversation was cut.
    private func talk(_ totals: inout [Int64]) async throws(RPCError) -> Bool {
        let call = orders.quote()
        try await call.requests.write(question(totals.count))
        let replies = try await call.responses()
        do throws(RPCError) {
            while let reply = try await replies.next() {
                totals.append(reply.totalCents)
                guard totals.count < Self.quantities.count else { return await end(call, replies) }
                try await call.requests.write(question(totals.count))
            }
            throw RPCError(.internal, "the service ended a conversation by itself")
        } catch {
            // The channel repeats what fails before its head; from there on it is up to us.
            guard error.code == .unavailable else { throw error }
            return false
        }
    }

    private func end(_ call: Conversation, _ replies: ResponseStream<ProtobufCodec<QuoteReply>>) async -> Bool {
        call.requests.finish()
        // All was told: how the stream ends changes nothing, but a call that is over is better than one that is cut.
        _ = try? await replies.next()
        return true
    }

    private func question(_ number: Int) -> QuoteRequest { QuoteRequest(sku: sku, quantity: Self.quantities[number]) }
}
