// SPDX-License-Identifier: Apache-2.0

/// The limits of what clients send, as the protos state them.
enum Limits {
    static let sku = 1...64
    static let items = 1...100
    static let quantity: ClosedRange<Int32> = 1...10_000
    static let priceCents: ClosedRange<Int64> = 0...1_000_000_000
    static let page = 1...100
    private static let username = 3...64
    private static let password = 8...1024
    private static let key = 1...128

    static func check(username text: String) throws(StoreError) {
        let legal = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        try require(legal, "a username has only the characters a-z, 0-9, '.', '_' and '-'")
        try require(username.contains(text.utf8.count), "a username has 3 to 64 characters")
    }

    static func check(password text: String) throws(StoreError) {
        try require(password.contains(text.utf8.count), "a password has 8 to 1024 bytes")
    }

    static func check(key text: String) throws(StoreError) {
        try require(key.contains(text.utf8.count), "an idempotency key has 1 to 128 bytes")
    }

    static func check(items list: [OrderItem]) throws(StoreError) {
        try require(items.contains(list.count), "an order has 1 to 100 items")
        for item in list {
            try require(sku.contains(item.sku.utf8.count), "an article's sku has 1 to 64 bytes")
            try require(quantity.contains(item.quantity), "a quantity is 1 to 10,000")
            try require(priceCents.contains(item.priceCents), "a price is 0 to 1,000,000,000 cents")
        }
    }

    static func require(_ condition: Bool, _ rule: String) throws(StoreError) {
        if !condition { throw .invalid(rule) }
    }
}
