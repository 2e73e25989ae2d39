"""A telephone for the end-to-end tests: pjsua2 speaks SIP, plays a tone and records what it hears.

The test connects to a port on loopback and speaks JSON lines: {"id": 1, "do": "dial", "to": "sip:..."} is answered by
{"re": 1, "ok": true, "value": ...}; whatever happens in a call comes as {"event": ..., "call": ...}.
It follows transfers (REFER) and lets other calls take the place of its own (Replaces).
"""

import json
import os
import socket
import sys

import pjsua2 as pj

POLL_MS = 5
TONE_MS = 1000
HOLD_STATES = {
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "local hold",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "remote hold",
}
TIMERS = {
    "off": pj.PJSUA_SIP_TIMER_INACTIVE,
    "if asked": pj.PJSUA_SIP_TIMER_OPTIONAL,
    "always": pj.PJSUA_SIP_TIMER_ALWAYS,
}
SRTP = {"off": pj.PJMEDIA_SRTP_DISABLED, "required": pj.PJMEDIA_SRTP_MANDATORY}
# G.722 at 16 kHz; the others would only be resampled.
RATES = {"G722": 16000, "PCMU": 8000, "PCMA": 8000}
# A flag of pjmedia's (stream_common.h) that pjsua2 does not name.
KEY_IS_OVER = 2
DTMF = {"RFC 4733": pj.PJSUA_DTMF_METHOD_RFC2833, "INFO": pj.PJSUA_DTMF_METHOD_SIP_INFO}


class PhoneCall(pj.Call):
    """One call. Its number counts up from 1: pjsua2 uses its own ids again."""

    def __init__(self, phone, call_id=pj.PJSUA_INVALID_ID):
        super().__init__(phone.account, call_id)
        self.phone = phone
        self.number = phone.add(self)

    def tell(self, event, **fields):
        self.phone.tell(event, call=self.number, **fields)

    def onCallState(self, prm):
        info = self.getInfo()
        self.tell("state", state=info.stateText, code=info.lastStatusCode, reason=info.lastReason)

    def onCallMediaState(self, prm):
        info = self.getInfo()  # has to outlive the loop: pjsua2's lists are only views
        for media in info.media:
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                sound = self.getAudioMedia(media.index)
                self.phone.tone.startTransmit(sound)
                sound.startTransmit(self.phone.recorder)
            self.tell("media", status=HOLD_STATES.get(media.status, "none"), direction=media.dir)

    def onCallTsxState(self, prm):
        tsx = prm.e.body.tsxState.tsx
        if tsx.state == pj.PJSIP_TSX_STATE_COMPLETED:
            ours = tsx.role == pj.PJSIP_ROLE_UAC
            self.tell("request", method=tsx.method, code=tsx.statusCode, by="telephone" if ours else "peer")

    def onDtmfDigit(self, prm):
        how = "INFO" if prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "RFC 4733"
        self.tell("digit", digit=prm.digit, how=how)

    def onDtmfEvent(self, prm):
        if prm.flags & KEY_IS_OVER:
            self.tell("digit over", digit=prm.digit, durationMs=prm.duration)

    def onCallTransferRequest(self, prm):
        self.tell("transfer asked", to=prm.dstUri)
        prm.newCall = PhoneCall(self.phone)

    def onCallTransferStatus(self, prm):
        self.tell("transfer status", code=prm.statusCode, final=prm.finalNotify)
        if prm.finalNotify and prm.statusCode // 100 == 2 and self.isActive():
            self.hangup(pj.CallOpParam())

    def onCallReplaceRequest(self, prm):
        prm.statusCode = pj.PJSIP_SC_OK
        prm.newCall = PhoneCall(self.phone)

    def onCallReplaced(self, prm):
        self.tell("replaced")


class PhoneAccount(pj.Account):
    def __init__(self, phone):
        super().__init__()
        self.phone = phone

    def onIncomingCall(self, prm):
        call = PhoneCall(self.phone, prm.callId)
        call.tell("incoming", caller=call.getInfo().remoteUri, message=prm.rdata.wholeMsg)
        answer(call, 180)
        answer(call, 200)


class Phone:
    def __init__(self, options, control):
        self.options = options
        self.control = control
        self.calls = {}
        self.recordings = 0
        self.endpoint = start_endpoint(options)
        self.tone = pj.ToneGenerator()
        self.tone.createToneGenerator()
        sine = pj.ToneDesc()
        sine.freq1 = options["toneHz"]
        sine.on_msec = TONE_MS
        tones = pj.ToneDescVector()
        tones.append(sine)
        self.tone.play(tones, True)
        self.listen_anew()
        self.account = PhoneAccount(self)
        self.account.create(account_settings(options))

    def add(self, call):
        number = len(self.calls) + 1
        self.calls[number] = call
        return number

    def tell(self, event, **fields):
        self.send({"event": event, **fields})

    def send(self, message):
        self.control.sendall((json.dumps(message) + "\n").encode())

    def listen_anew(self):
        """Records into a new file from now on, so that what is in it was heard after this."""
        self.recordings += 1
        file = os.path.join(self.options["folder"], f"heard-{self.recordings}.wav")
        self.recorder = pj.AudioMediaRecorder()
        self.recorder.createRecorder(file)
        for call in self.calls.values():
            if call.isActive() and call.hasMedia():
                info = call.getInfo()
                for media in info.media:
                    if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                        call.getAudioMedia(media.index).startTransmit(self.recorder)
        return file

    def act(self, request):
        what = request["do"]
        call = self.calls.get(request.get("call", len(self.calls)))
        if what == "dial":
            call = PhoneCall(self)
            call.makeCall(request["to"], pj.CallOpParam(True))
            return call.number
        if what == "listen anew":
            return self.listen_anew()
        if call is None:
            raise ValueError("there is no such call")
        if what == "hang up":
            call.hangup(pj.CallOpParam())
        elif what == "hold" and request["by"] == "re-INVITE":
            call.setHold(pj.CallOpParam())
        elif what == "resume" and request["by"] == "re-INVITE":
            resume = pj.CallOpParam(True)
            resume.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(resume)
        elif what in ("hold", "resume"):
            update = pj.CallOpParam(True)
            update.opt.flag = pj.PJSUA_CALL_SET_MEDIA_DIR
            update.opt.mediaDir = pj.IntVector(
                [pj.PJMEDIA_DIR_ENCODING if what == "hold" else pj.PJMEDIA_DIR_ENCODING_DECODING]
            )
            call.update(update)
        elif what == "transfer":
            call.xfer(request["to"], pj.CallOpParam())
        elif what == "transfer to call":
            call.xferReplaces(self.calls[request["other"]], pj.CallOpParam())
        elif what == "press":
            keys = pj.CallSendDtmfParam()
            keys.method = DTMF[request["by"]]
            keys.digits = request["keys"]
            call.sendDtmf(keys)
        else:
            raise ValueError(f"it cannot {what}")
        return None


def answer(call, code):
    prm = pj.CallOpParam()
    prm.statusCode = code
    call.answer(prm)


def start_endpoint(options):
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    settings = pj.EpConfig()
    settings.uaConfig.threadCnt = 0
    settings.uaConfig.maxCalls = 16
    settings.medConfig.clockRate = RATES[options["codec"]]
    settings.medConfig.sndClockRate = RATES[options["codec"]]
    settings.medConfig.noVad = True
    settings.medConfig.ecTailLen = 0
    settings.medConfig.sndAutoCloseTime = -1
    settings.logConfig.consoleLevel = 4
    settings.logConfig.level = 5
    endpoint.libInit(settings)
    transport = pj.TransportConfig()
    transport.port = options["sipPort"]
    transport.boundAddress = "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    for codec in endpoint.codecEnum2():
        endpoint.codecSetPriority(codec.codecId, 200 if codec.codecId.startswith(options["codec"]) else 0)
    return endpoint


def account_settings(options):
    settings = pj.AccountConfig()
    settings.idUri = f'sip:{options["number"]}@127.0.0.1:{options["sipPort"]}'
    settings.callConfig.timerUse = TIMERS[options["sessionTimer"]]
    settings.callConfig.timerMinSESec = 90
    settings.callConfig.timerSessExpiresSec = 90
    settings.mediaConfig.transportConfig.port = options["rtpPort"]
    settings.mediaConfig.transportConfig.portRange = options["rtpPorts"]
    settings.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    settings.mediaConfig.srtpUse = SRTP[options["srtp"]]
    settings.mediaConfig.srtpSecureSignaling = 0
    return settings


def serve(phone, control):
    unread = b""
    control.setblocking(False)
    while True:
        phone.endpoint.libHandleEvents(POLL_MS)
        try:
            read = control.recv(65536)
            if read == b"":
                return
            unread += read
        except BlockingIOError:
            continue
        *lines, unread = unread.split(b"\n")
        for line in lines:
            request = json.loads(line)
            try:
                phone.send({"re": request["id"], "ok": True, "value": phone.act(request)})
            except (pj.Error, ValueError) as error:
                words = error.info() if isinstance(error, pj.Error) else str(error)
                phone.send({"re": request["id"], "ok": False, "value": words})


def main():
    options = json.loads(sys.argv[1])
    with socket.create_server(("127.0.0.1", options["controlPort"])) as server:
        control, _ = server.accept()
        phone = Phone(options, control)
        phone.tell("ready")
        serve(phone, control)
        # Destroying pjsua2 under Python's own shutdown can crash; the calls are told, then the process just ends.
        phone.endpoint.hangupAllCalls()
        phone.endpoint.libHandleEvents(100)
        os._exit(0)


main()
