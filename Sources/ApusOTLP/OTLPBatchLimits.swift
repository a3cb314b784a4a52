// SPDX-License-Identifier: Apache-2.0

/// How much an exporter of spans or log records keeps and sends at once. The defaults are OpenTelemetry's.
public struct OTLPBatchLimits: Sendable, Hashable {
    /// How many wait at most, those on their way among them; what comes on top is dropped and counted.
    public let capacity: Int
    /// How many one request carries at most.
    public let batch: Int
    /// How long a batch waits to become full.
    public let delay: Duration

    /// Limits. A capacity or batch below 1 counts as 1, a batch above the capacity as the capacity, a delay below a
    /// millisecond as one.
    public init(capacity: Int = 2048, batch: Int = 512, delay: Duration) {
        self.capacity = max(1, capacity)
        self.batch = min(self.capacity, max(1, batch))
        self.delay = max(.milliseconds(1), delay)
    }

    /// Those of spans: a batch waits for five seconds.
    public static let traces = OTLPBatchLimits(delay: .seconds(5))
    /// Those of log records: a batch waits for one second.
    public static let logs = OTLPBatchLimits(delay: .seconds(1))
}
