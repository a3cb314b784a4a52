// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusTransport

/// The standard service `grpc.channelz.v1.Channelz`: tells operators' tools of this process' servers, and of its
/// channels over sockets with their connections.
///
/// It tells the addresses of peers: serve it on a port for administrators, not beside services for everybody. What is
/// told is asked of the event loops when somebody calls, and a page has at most 100 entries. A server counts the calls
/// whose handlers were started, a channel the tries that were sent: those that found no connection, or were refused
/// before their handler, are in neither. A loop that something blocks has a second to answer, and then what it knows is
/// left out. Messages and times are not kept, and stay zero or absent; nor is anything said of socket options. A channel
/// has one subchannel for each endpoint and event loop that has called it.
///
/// Source: gRFC A14.
public final class Channelz: Service {
    private let handler = ChannelzHandler(.process)

    /// The service, about all of the process.
    public init() {}

    /// The methods.
    public var routes: [Route] { handler.routes }

    /// The .proto file of the service.
    public var descriptor: ServiceDescriptor? { handler.descriptor }
}

/// The services for administrators, to be given to a server of their own: for now ``Channelz``.
///
/// Source: gRFC A38.
public enum AdminServices {
    /// One of each.
    public static func all() -> [any Service] { [Channelz()] }
}
