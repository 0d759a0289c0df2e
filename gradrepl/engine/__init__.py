"""A small autograd engine on numpy that speaks PyTorch's names, prints and error words."""

import os

# A learner's matrices are small: the threads of numpy's BLAS cost more than they bring, at start-up and in a training
# loop (an MLP step took up to thirteen times as long). Whoever wants them sets the variable.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
