// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import CodecProtos

extension Small {
    static var sample: Small {
        Small(payload: Array(0..<16), name: "a name of twenty-eight bytes", id: 1_234_567_890)
    }
}

extension Order {
    static var sample: Order {
        var order = Order()
        order.setTexts()
        order.setNumbers()
        order.setPeople()
        order.setPrices()
        order.setInstants()
        return order
    }

    private mutating func setTexts() {
        orderId = "ord_2f1c9a44-5d1e-4a0e"
        tenant = "acme-europe"
        currency = "EUR"
        locale = "de-DE"
        channel = "web"
        campaign = "spring sale, second week"
        coupon = "WELCOME10"
        notes = "Please ring twice; the bell by the door is out of order. Grüße, A. Löwe"
        carrier = "DHL"
        trackingNumber = "00340434161094042557"
        tags = ["priority", "europe", "returning customer"]
    }

    private mutating func setNumbers() {
        state = .shipped
        priority = .high
        relatedOrders = [810_230_001, 810_230_002, 810_230_017]
        isGift = true
        isTaxable = true
        needsSignature = true
        version = 7
        sequence = 99_120_331
        points = -250
        weightKilograms = 2.75
        riskScore = 0.0132
        checksum = 0x9E37_79B9_7F4A_7C15
        signature = Array(0..<32)
    }

    private mutating func setPeople() {
        let home = Address(
            street: "Lange Straße 17", city: "Bremen", postalCode: "28195", region: "HB", country: "Germany",
            latitude: 53.0793, longitude: 8.8017)
        customer = Customer(
            id: 40_021, name: "Ada Löwe", email: "ada.loewe@mail.example", phone: "+49 421 5550100", address: home,
            isVerified: true)
        billingAddress = home
        shippingAddress = home
        payment = .card(Card(brand: "visa", lastDigits: "4242", month: 11, year: 2029))
    }

    private mutating func setPrices() {
        items = ["Ceramic coffee cup, blue", "Tea towel", "Cast-iron teapot, 1.2 litres"].enumerated().map {
            LineItem(
                product: 7000 + Int64($0), title: $1, quantity: 1 + Int32($0),
                price: Money(currency: "EUR", units: 12, nanos: 990_000_000), options: ["gift wrap", "no plastic"])
        }
        subtotal = Money(currency: "EUR", units: 77, nanos: 940_000_000)
        tax = Money(currency: "EUR", units: 14, nanos: 810_000_000)
        shippingCost = Money(currency: "EUR", units: 4, nanos: 900_000_000)
        discount = Money(currency: "EUR", units: 7, nanos: 790_000_000)
        total = Money(currency: "EUR", units: 89, nanos: 860_000_000)
    }

    private mutating func setInstants() {
        created = Instant(seconds: 1_764_000_000, nanos: 120_000_000)
        updated = Instant(seconds: 1_764_003_600, nanos: 530_000_000)
        confirmed = Instant(seconds: 1_764_000_042, nanos: 1)
        shipped = Instant(seconds: 1_764_086_400, nanos: 999_999_999)
    }
}

extension Blob {
    static var sample: Blob { Blob(content: (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }) }
}

extension Track {
    static var sample: Track {
        Track(
            points: (0..<10_000).map {
                Point(
                    time: 1_764_000_000 + Int64($0), latitude: 53 + Double($0) / 4096, longitude: 8.5,
                    label: "point \($0)")
            })
    }
}

extension Glossary {
    static var sample: Glossary {
        Glossary(
            entries: .init(
                uniqueKeysWithValues: (0..<1000).map { ("key number \($0)", "the value that belongs to \($0)") }))
    }
}
