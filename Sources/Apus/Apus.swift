// SPDX-License-Identifier: Apache-2.0

@_exported public import ApusCore
@_exported public import ApusDiscovery
@_exported public import ApusInterceptors
@_exported public import ApusProtobuf
@_exported public import ApusServices
@_exported public import ApusTransport
@_exported public import ApusWire
