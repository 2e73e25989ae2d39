"""PESQ (ITU-T P.862) of sound against its original: each argument is BAND:ORIGINAL:HEARD, of files of 16-bit samples.

BAND is `nb` (8 kHz, up to 4.5) or `wb` (16 kHz, P.862.2, up to 4.6). Prints one score a line.
"""

import sys

import numpy
import pesq

RATES = {"nb": 8000, "wb": 16000}

for argument in sys.argv[1:]:
    band, original, heard = argument.split(":")
    reference, degraded = (numpy.fromfile(file, dtype="<i2") for file in (original, heard))
    print(pesq.pesq(RATES[band], reference, degraded, band))
