// SPDX-License-Identifier: Apache-2.0

/// What a metric measures: its name, its unit, its kind, and a line for people.
public struct Metric: Sendable, Hashable {
    /// What values are measured in.
    public enum Unit: Sendable, Hashable {
        /// Times. They are recorded in whole nanoseconds and shown in seconds.
        case seconds
        /// Sizes.
        case bytes
        /// Things that are counted, by their name, such as `call`.
        case count(String)
    }

    /// What becomes of values.
    public enum Kind: Sendable, Hashable {
        /// They add up and never go down.
        case counter
        /// They go up and down.
        case gauge
        /// They are counted in buckets with these upper bounds, in nanoseconds, bytes or pieces, in ascending order; a
        /// last bucket takes what is above.
        case histogram([Int])
    }

    /// The name with dots, such as `grpc.client.call.duration`.
    public let name: String
    /// What it tells, in a sentence.
    public let help: String
    /// The unit.
    public let unit: Unit
    /// The kind.
    public let kind: Kind

    /// A metric.
    public init(_ name: String, _ kind: Kind, _ unit: Unit, _ help: String) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
    }

    /// One dimension of a metric with its value, such as `grpc.method` and `users.v1.Users/Get`.
    public struct Label: Sendable, Hashable {
        /// The name with dots.
        public let name: String
        /// The value; any text.
        public let value: String

        /// A label.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }
}

extension Metric.Kind {
    /// A histogram of times with the bounds that gRFC A66 names: 10 µs to 100 s.
    public static let latency = Metric.Kind.histogram(
        [
            0, 10, 50, 100, 300, 600, 800, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 10_000, 13_000, 16_000, 20_000,
            25_000, 30_000, 40_000, 50_000, 65_000, 80_000, 100_000, 130_000, 160_000, 200_000, 250_000, 300_000,
            400_000, 500_000, 650_000, 800_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000,
            100_000_000,
        ].map { $0 * 1000 })

    /// A histogram of sizes with the bounds that gRFC A66 names: 1 KiB to 4 GiB.
    public static let size = Metric.Kind.histogram(
        [
            0, 1 << 10, 1 << 11, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28,
            1 << 30, 1 << 32,
        ])

    /// A histogram of further tries, with the bounds that gRFC A96 names.
    static let tries = Metric.Kind.histogram([1, 2, 3, 4, 5])
    static let transparentTries = Metric.Kind.histogram([1, 2, 3, 4, 5, 10])
}
