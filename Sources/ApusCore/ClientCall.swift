// SPDX-License-Identifier: Apache-2.0

/// A call on its way through a channel's interceptors: serialized, described, with no peer chosen yet.
public struct ClientCall: Sendable {
    /// The method.
    public let method: MethodDescriptor
    /// The name of the service's channel: what discovery looks up.
    public let target: String
    /// The request.
    public var request: MessageBody
    /// Metadata to send.
    public var metadata: Metadata
    /// When the call ends, all its tries together.
    public var deadline: CallDeadline
    /// Whether the call waits for an endpoint that can be reached.
    public var waitForReady: Bool
    /// The largest response message in bytes; nil takes the transport's limit.
    public var maximumResponseBytes: Int?
    /// How the transport compresses requests; interceptors see them as they are. nil: not at all.
    public var compression: Compression?
    /// The number of this try, 1 for the first.
    public var attempt = 1
    /// What discovery found.
    public var candidates: Candidates?
    /// Endpoints at which this call failed already: a balancer avoids them while others are left.
    public var avoided: [EndpointHandle] = []
    /// The endpoint that a balancer chose: where the transport sends the call.
    public var endpoint: EndpointHandle?
    /// Who is told of the call's events.
    public var observer: (any Observer)? {
        get { observation?.observer }
        set { observation = newValue.map { observation?.replacing($0) ?? Self.unmeasured($0) } }
    }
    // Behind one reference: calls are copied often.
    var observation: CallRecord?

    /// A call as a channel starts it.
    public init(
        method: MethodDescriptor, target: String, request: MessageBody, metadata: Metadata = Metadata(),
        deadline: CallDeadline = .none, waitForReady: Bool = false, maximumResponseBytes: Int? = nil,
        compression: Compression? = nil, observer: (any Observer)? = nil
    ) {
        self.method = method
        self.target = target
        self.request = request
        self.metadata = metadata
        self.deadline = deadline
        self.waitForReady = waitForReady
        self.maximumResponseBytes = maximumResponseBytes
        self.compression = compression
        observation = observer.map(Self.unmeasured)
    }

    // Told of events alone: who measures is the channel.
    private static func unmeasured(_ observer: any Observer) -> CallRecord {
        CallRecord(CallRecord.Watch(observer, clock: nil))
    }
}

extension ClientCall {
    /// Balancers pick this endpoint only when no other is left.
    package mutating func avoid(_ handle: EndpointHandle?) {
        if let handle, !avoided.contains(handle) { avoided.append(handle) }
    }
}
